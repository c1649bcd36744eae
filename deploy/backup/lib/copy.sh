# shellcheck shell=bash
# A second copy of every dump, elsewhere: a path (another disk, a network file system) or S3-compatible storage. rclone does both,
# and compares checksums; its settings go by the environment, the keys from their secret.

# elsewhere ARG…: rclone, knowing where. The place is `copies:`.
elsewhere() (
  export RCLONE_CONFIG=/dev/null RCLONE_RETRIES=3 RCLONE_LOW_LEVEL_RETRIES=3 RCLONE_CONTIMEOUT=10s RCLONE_TIMEOUT=60s
  export RCLONE_CONFIG_COPIES_TYPE=alias RCLONE_CONFIG_COPIES_REMOTE=/copies
  if [[ $BACKUP_COPY_TO == s3 ]]; then
    RCLONE_CONFIG_STORE_ACCESS_KEY_ID=$(s3_access_key) RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY=$(s3_secret_key)
    export RCLONE_CONFIG_STORE_ACCESS_KEY_ID RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY
    export RCLONE_CONFIG_STORE_TYPE=s3 RCLONE_CONFIG_STORE_PROVIDER=Other RCLONE_CONFIG_STORE_NO_CHECK_BUCKET=true
    export RCLONE_CONFIG_STORE_ENDPOINT=$BACKUP_S3_ENDPOINT RCLONE_CONFIG_STORE_REGION=$BACKUP_S3_REGION
    export RCLONE_CONFIG_COPIES_REMOTE="store:$BACKUP_S3_BUCKET/$BACKUP_S3_PREFIX/dumps"
    [[ ! -s /etc/eyrie/s3-ca.crt ]] || export RCLONE_CA_CERT=/etc/eyrie/s3-ca.crt
  fi
  exec rclone --quiet "$@"
)

# copies: the names of all finished dumps there, the oldest first.
copies() { elsewhere lsf --files-only --include '/*.json' copies: | sed 's/\.json$//' | sort; }

# copy_dumps: all that are not there yet, what an earlier failure left out included, unless their time is over anyway; then the
# retention, there. What is here stays, whatever happens.
copy_dumps() {
  local name there over
  there=$(copies) || fail "$FAILED" "the copies cannot be reached ($BACKUP_COPY_TO): the dump is kept here only"
  over=$({ dumps && printf '%s\n' "$there"; } | sort -u | expired_by_settings)
  comm -23 <(dumps) <(printf '%s\n%s\n' "$there" "$over" | sort -u) | while read -r name; do
    { elsewhere copyto "$DUMPS/$name.dump.age" "copies:$name.dump.age" &&
      elsewhere copyto "$DUMPS/$name.json" "copies:$name.json"; } ||
      fail "$FAILED" "$name could not be copied ($BACKUP_COPY_TO): it is kept here only"
    log "copied $name ($BACKUP_COPY_TO)"
  done
  if [[ $BACKUP_COPY_TO == path ]]; then sync -f /copies; fi
  comm -12 <(printf '%s\n' "$there") <(sort <<<"$over") | while read -r name; do
    [[ $name ]] || continue
    { elsewhere deletefile "copies:$name.json" && elsewhere deletefile "copies:$name.dump.age"; } ||
      complain "the copy of $name could not be removed"
  done
}

# fetch NAME: brings a copy back.
fetch() {
  mkdir -p "$DUMPS"
  rm -f "$DUMPS/.fetched-$1"*
  { elsewhere copyto "copies:$1.dump.age" "$DUMPS/.fetched-$1.dump.age" &&
    elsewhere copyto "copies:$1.json" "$DUMPS/.fetched-$1.json" &&
    mv "$DUMPS/.fetched-$1.dump.age" "$DUMPS/$1.dump.age" && mv "$DUMPS/.fetched-$1.json" "$DUMPS/$1.json"; } ||
    fail "$FAILED" "$1 could not be fetched ($BACKUP_COPY_TO)"
  log "fetched $1 ($BACKUP_COPY_TO)"
}
