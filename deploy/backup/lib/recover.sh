# shellcheck shell=bash
# Point-in-time recovery: a data directory as it was at a moment, from a base backup and the WAL after it.

# reachable TIME: fails unless there is a base backup from before it, and prints which. Without this, pgBackRest would take
# the newest, and PostgreSQL refuse to go back from there.
reachable() {
  local label
  label=$(eyrie-pgbackrest --output=json info | jq -r --argjson time "$(date -u -d "$1" +%s)" \
    '[.[0].backup[]? | select(.timestamp.stop <= $time) | .label] | last // empty')
  [[ $label ]] || fail "$REFUSED" "refused: there is no base backup from before $1; backup list shows from when on recovery is possible"
  printf '%s\n' "$label"
}

# recover DIRECTORY [TIME] [--aside]: the base backup before TIME, and what PostgreSQL needs to go on from it up to TIME when it
# is started there; to the end of the archive without TIME. A directory that has something in it is refused, or kept under
# another name with --aside.
recover() {
  local directory=$1 time=${2:-} aside=''
  local -a target=(--type=default)
  if [[ $time ]]; then
    reachable "$time" >/dev/null
    target=(--type=time "--target=$time" --target-action=promote)
  fi
  if [[ -e $directory && $(ls -A "$directory") ]]; then
    [[ ${3:-} == --aside ]] || fail "$REFUSED" "refused: $directory is not empty"
    aside=$directory.before-$(date -u +%Y%m%dT%H%M%SZ)
    mv "$directory" "$aside"
    log "the old data directory is kept as $(basename "$aside")"
  fi
  mkdir -p "$directory"
  chmod 0700 "$directory"
  # The server that starts on it fetches WAL by the same program, which finds its settings by itself.
  PGBACKREST_PG1_PATH=$directory eyrie-pgbackrest "${target[@]}" \
    --recovery-option='restore_command=eyrie-pgbackrest archive-get %f %p' restore || {
    [[ ! $aside ]] || undo "$directory"
    fail "$FAILED" "nothing was recovered${time:+ for $time}"
  }
}

# undo DIRECTORY: puts back what recover has put aside last.
undo() {
  local -a kept=("$1".before-*)
  ((${#kept[@]} > 0)) || fail "$FAILED" "there is no directory that $1 was before"
  rm -rf "$1"
  mv "${kept[-1]}" "$1"
  log 'the old data directory is back in its place'
}

# forget DIRECTORY NAME: removes what recover has put aside under NAME.
forget() {
  [[ $2 =~ ^before-[0-9]{8}T[0-9]{6}Z$ && -d $1.$2 ]] || fail "$WRONG_USAGE" "there is no $2"
  rm -rf "$1.$2"
  log "removed $2"
}

# serve DIRECTORY [TIME]: recovers into it if it is empty, and runs PostgreSQL on it for people to look at. It archives nothing.
serve() {
  local directory=$1
  if [[ ! -s $directory/PG_VERSION ]]; then recover "$directory" "${2:-}"; fi
  # The socket is this container's alone. Over the network, the passwords of that time are asked for.
  sed -i 's/^local .*//' "$directory/pg_hba.conf"
  echo 'local all all trust' >>"$directory/pg_hba.conf"
  exec postgres -D "$directory" -c listen_addresses='*' -c unix_socket_directories=/tmp -c archive_mode=off \
    -c hot_standby=off -c max_connections=200 -c shared_buffers=64MB
}
