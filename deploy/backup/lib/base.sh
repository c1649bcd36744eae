# shellcheck shell=bash
# Base backups: pgBackRest copies the data directory, which is mounted here read-only, while PostgreSQL runs. With the WAL that
# PostgreSQL archives, they bring back any moment since the oldest of them.

# base_backup full|incr: makes one; those beyond BACKUP_KEEP_FULL go, with their WAL. Sets SIZE.
base_backup() {
  local output
  [[ $1 =~ ^(full|incr)$ ]] || fail "$WRONG_USAGE" "'$1' is no kind of base backup; wanted: full or incr"
  ensure_stanza
  output=$(eyrie-pgbackrest --type="$1" backup 2>&1) || fail "$FAILED" "the base backup failed: $(last_error "$output")"
  SIZE=$(eyrie-pgbackrest --output=json info | jq '.[0].backup | last | .info.repository.delta')
  log "base backup $(eyrie-pgbackrest --output=json info | jq -r '.[0].backup | last | .label'): $(human "$SIZE") in $(elapsed "$BEGUN") s"
}

# ensure_stanza: prepares the repository for this cluster, once.
ensure_stanza() {
  local output
  output=$(eyrie-pgbackrest stanza-create 2>&1) && return
  if [[ $output == *'do not match'* ]]; then
    fail "$FAILED" 'the repository belongs to another database cluster. Bring that back (restore --time … --overwrite), or begin a new history beside its own: backup adopt'
  fi
  fail "$FAILED" "the repository cannot be prepared: $(last_error "$output")"
}

# last_error OUTPUT: what pgBackRest says went wrong, in a line.
last_error() { { grep -m 1 -A 1 'ERROR' <<<"$1" || tail -n 2 <<<"$1"; } | sed 's/^.*ERROR: //' | tr -s '\n ' ' '; }

# newest_base [TYPE] [start|stop]: when the newest base backup (of that type) began or ended, in seconds; 0 where there is none.
newest_base() {
  eyrie-pgbackrest --output=json info 2>/dev/null |
    jq --arg type "${1:-}" --arg end "${2:-start}" \
      '[.[0].backup[]? | select($type == "" or .type == $type) | .timestamp[$end]] | max // 0' 2>/dev/null ||
    echo 0
}
