# shellcheck shell=bash
# Whether the WAL arrives. Every few seconds the segment that is being written is noted; once the repository has it, all that was
# committed until it was last seen is safe, and the time since it was first seen is what a commit waits at most.
# (pg_stat_archiver does not tell: it believes archive_command, which drops WAL rather than let the disk fill up.)

# An idle database writes nothing, and nothing is archived: a mark in the WAL keeps the measure going.
: "${BACKUP_MARK_SECONDS:=30}"
# A segment that takes longer means that the archive is broken.
readonly LATE_SECONDS=300
# This file is there from when a gap is seen until a full base backup has made it harmless.
readonly GAP=${BACKUP_GAP:-/backups/.gap}
# The segments that are not in the repository yet, the oldest first, and when each was first and last seen.
SEGMENTS=() FIRST_SEEN=() LAST_SEEN=()
SEGMENT='' MARKED_AT=0 ARCHIVE_ID='' ARCHIVE_LATE=false SERVER_SINCE=''

# watch_archive: for ever, in the background.
watch_archive() {
  while true; do
    probe_archive || complain 'the archive cannot be watched'
    touch /tmp/archive.alive
    # Each look at S3 is a request that somebody pays.
    sleep "$([[ $BACKUP_REPOSITORY == s3 ]] && echo 10 || echo 5)"
  done
}

# probe_archive: one look.
probe_archive() {
  local seen=$EPOCHREALTIME oldest='' newest=''
  if ! write_mark; then
    failed_backup wal
    return 1
  fi
  if ((${#SEGMENTS[@]} > 0)) && [[ ${SEGMENTS[-1]} == "$SEGMENT" ]]; then
    LAST_SEEN[-1]=$seen
  else
    SEGMENTS+=("$SEGMENT") FIRST_SEEN+=("$seen") LAST_SEEN+=("$seen")
  fi
  # The last is still being written.
  while ((${#SEGMENTS[@]} > 1)) && archived "${SEGMENTS[0]}"; do
    [[ -e $GAP ]] || publish_backup wal 1 "${LAST_SEEN[0]%.*}" "$FOUND_SIZE" "$(elapsed "${FIRST_SEEN[0]}")"
    drop_first
    [[ $ARCHIVE_LATE == false ]] || log 'the archive is up to date again'
    ARCHIVE_LATE=false
  done
  if ((${#SEGMENTS[@]} > 1)); then read -r oldest newest < <(archive_range) || true; fi
  if [[ $oldest > ${SEGMENTS[0]} ]]; then
    # A base backup came between, and the WAL before the oldest of those has been removed.
    drop_first
  elif [[ $newest > ${SEGMENTS[0]} ]] && ! archived "${SEGMENTS[0]}"; then
    complain "WAL segment ${SEGMENTS[0]} is missing in the archive: no moment after it can be restored until the next full base backup, which is due now"
    touch "$GAP"
    SEGMENTS=() FIRST_SEEN=() LAST_SEEN=()
  elif ((EPOCHSECONDS - ${FIRST_SEEN[0]%.*} > LATE_SECONDS)); then
    [[ $ARCHIVE_LATE == true ]] || complain "the WAL of $(utc "${FIRST_SEEN[0]}") is not archived yet: see PostgreSQL's log"
    ARCHIVE_LATE=true
  fi
  if [[ $ARCHIVE_LATE == true || -e $GAP ]]; then failed_backup wal; fi
}

# write_mark: sets SEGMENT to the one that is being written; commits a mark if it is time.
write_mark() {
  local answer since
  local -a mark=()
  if ((EPOCHSECONDS - MARKED_AT >= BACKUP_MARK_SECONDS)); then
    mark=(--command "SELECT FROM pg_logical_emit_message(true, 'backup', 'mark')")
  fi
  answer=$(as_backup psql -XqAt --set ON_ERROR_STOP=1 --dbname postgres "${mark[@]}" \
    --command 'SELECT pg_walfile_name(pg_current_wal_insert_lsn()), pg_postmaster_start_time()') || return
  if ((${#mark[@]} > 0)); then MARKED_AT=$EPOCHSECONDS; fi
  IFS='|' read -r SEGMENT since <<<"${answer##*$'\n'}"
  # After a clean start PostgreSQL's checkpointer sleeps until its first checkpoint, for minutes, and minds archive_timeout
  # only from then on.
  if [[ $since != "$SERVER_SINCE" ]]; then ask CHECKPOINT >/dev/null || return; fi
  SERVER_SINCE=$since
}

# archived SEGMENT: whether the repository has it. Sets FOUND_SIZE.
FOUND_SIZE=0
archived() {
  local found
  : "${ARCHIVE_ID:=$(eyrie-pgbackrest --output=json info | jq -r '.[0].archive | last | .id // empty')}"
  [[ $ARCHIVE_ID ]] || return 1
  found=$(eyrie-pgbackrest --output=json --filter="^$1-" repo-ls "archive/eyrie/$ARCHIVE_ID/${1:0:16}" 2>/dev/null |
    jq '[.[] | select(.type == "file") | .size] | max // empty') || return 1
  [[ $found ]] && FOUND_SIZE=$found
}

# archive_range: the oldest and the newest segment in the repository.
archive_range() { eyrie-pgbackrest --output=json info | jq -r '.[0].archive | last | "\(.min // "") \(.max // "")"'; }

drop_first() { SEGMENTS=("${SEGMENTS[@]:1}") FIRST_SEEN=("${FIRST_SEEN[@]:1}") LAST_SEEN=("${LAST_SEEN[@]:1}"); }

# flush: waits until everything that is committed now is in the archive.
flush() {
  local -i limit=$((EPOCHSECONDS + 120))
  { write_mark && ask 'SELECT pg_switch_wal()' >/dev/null; } || fail "$FAILED" 'the database does not answer'
  until archived "$SEGMENT"; do
    ((EPOCHSECONDS < limit)) || fail "$FAILED" 'the WAL up to now is not archived within 120 s'
    sleep 1
  done
  log 'the archive is complete up to now'
}
