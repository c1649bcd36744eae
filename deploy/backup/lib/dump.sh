# shellcheck shell=bash
# A dump, and the facts about it, from one snapshot: what the manifest counts is exactly what pg_dump writes.

# dump [--keep-all]: makes one, signs it, removes those that have had their time, and copies it elsewhere if so set. Sets SIZE.
dump() {
  local name partial
  mkdir -p "$DUMPS"
  remove_unfinished
  name=eyrie-$(date -u +%Y%m%dT%H%M%SZ)
  while [[ -e $DUMPS/$name.json ]]; do sleep 1 && name=eyrie-$(date -u +%Y%m%dT%H%M%SZ); done
  partial=$DUMPS/.partial-$name
  on_exit "rm -f '$partial'*"
  enough_space
  write_dump "$name" "$partial"
  log "dump $name: $(human "$SIZE") in $(elapsed "$BEGUN") s"
  if [[ ${1:-} != --keep-all ]]; then expire_dumps; fi
  if [[ $BACKUP_COPY_TO != none ]]; then copy_dumps; fi
}

# remove_unfinished: what a run that was killed has left: partial files, and dumps that never got their manifest.
remove_unfinished() {
  local file
  rm -f "$DUMPS"/.partial-*
  find "$DUMPS" -name '*.dump.age' -mmin +60 | while read -r file; do
    [[ -e ${file%.dump.age}.json ]] || rm -f "$file"
  done
}

# enough_space: a dump needs about what the last one did; better to say so than to fill the disk on which the WAL waits.
enough_space() {
  local free newest needed
  free=$(($(stat -f -c '%a * %S' "$DUMPS")))
  newest=$(dumps | tail -n 1)
  needed=$((1024 * 1024 + (${newest:+$(jq .size "$DUMPS/$newest.json")} + 0) * 11 / 10))
  ((free > needed)) ||
    fail "$FAILED" "the disk of /backups is full: a dump needs about $(human "$needed"), $(human "$free") are free; nothing was written"
}

write_dump() {
  local name=$1 partial=$2 snapshot content digest started
  started=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  # The session that holds the snapshot counts while pg_dump writes.
  coproc HOLDER { as_backup psql -XqAt --set ON_ERROR_STOP=1 --dbname "$BACKUP_DATABASE"; }
  # shellcheck disable=SC2153 # coproc sets HOLDER_PID
  local holder=$HOLDER_PID to=${HOLDER[1]} from=${HOLDER[0]}
  on_exit "kill $holder 2>/dev/null"
  { printf '%s\n' 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;' 'SELECT pg_export_snapshot();' >&"$to" &&
    read -r -t 60 snapshot <&"$from"; } || fail "$FAILED" "cannot read the database $BACKUP_DATABASE"
  content_sql >&"$to"

  if ! encrypted_dump "$snapshot" >"$partial.dump.age" 2>"/tmp/dump.$$"; then
    explain_failed_dump "$partial.dump.age"
  fi
  read -r content <&"$from" || fail "$FAILED" 'cannot count the rows of the snapshot'
  printf '%s\n' 'COMMIT;' '\q' >&"$to"
  wait "$holder" || true

  SIZE=$(stat -c %s "$partial.dump.age")
  digest=$(sha256sum <"$partial.dump.age")
  jq --arg name "$name" --arg created "$started" --arg sha256 "${digest%% *}" --argjson size "$SIZE" --arg key "$(key_id)" \
    --arg tool "$(pg_dump --version)" '. + {format: 1, name: $name, file: "\($name).dump.age", created: $created, size: $size,
      sha256: $sha256, keyId: $key, tool: $tool}' <<<"$content" |
    sign >"$partial.json" || fail "$FAILED" 'the manifest could not be written'
  # The manifest last, and each on the disk before it has its name.
  { sync "$partial.dump.age" "$partial.json" && mv "$partial.dump.age" "$DUMPS/$name.dump.age" &&
    mv "$partial.json" "$DUMPS/$name.json" && sync "$DUMPS"; } || fail "$FAILED" 'the dump could not be kept'
}

encrypted_dump() {
  as_backup pg_dump --format=custom --compress=zstd:3 --snapshot="$1" --lock-wait-timeout=300s --dbname "$BACKUP_DATABASE" |
    age --encrypt --identity <(age_identity)
}

# explain_failed_dump FILE: one line that says why.
explain_failed_dump() {
  local free reason
  free=$(($(stat -f -c '%a * %S' "$DUMPS")))
  reason=$(grep -m 1 -i 'no space left' "/tmp/dump.$$" || tail -n 1 "/tmp/dump.$$")
  rm -f "$1" "/tmp/dump.$$"
  if [[ ${reason,,} == *'no space left'* ]]; then
    fail "$FAILED" "the disk of /backups is full ($(human "$free") were free at the end): no dump was made, the partial file is removed"
  fi
  fail "$FAILED" "pg_dump failed: $reason"
}

# expire_dumps: the retention, here. First the newest must be good: else nothing goes.
expire_dumps() {
  local name newest
  newest=$(dumps | tail -n 1)
  (verify "$DUMPS/$newest.dump.age") || fail "$FAILED" 'the newest dump is not good: no older one is removed'
  dumps | expired_by_settings | while read -r name; do
    rm -f "$DUMPS/$name.json" "$DUMPS/$name.dump.age"
    log "removed $name: it has had its time"
  done
}
