# shellcheck shell=bash
# The restore drill: proves that what is kept can be brought back, without touching the live database. The newest dump is loaded
# into a throw-away server and compared with its manifest, table by table; then the newest base backup with all WAL is recovered, and every
# page and index of it read. It ends with what a loss now would have cost (RPO) and how long coming back took (RTO).

drill() {
  local started
  only_one /scratch drill
  started=$EPOCHREALTIME
  DRILL_OK=0
  DRILL_BEGUN=$started
  on_exit report_drill
  rm -rf /scratch/drill.*
  DRILL=$(mktemp -d /scratch/drill.XXXXXX)
  on_exit "rm -rf '$DRILL'"
  drill_dump
  drill_archive
  log "restore drill passed in $(elapsed "$started") s: RPO $RPO s, RTO $RTO_DUMP s from the dump, $RTO_ARCHIVE s from the archive"
  DRILL_OK=1
}

report_drill() {
  if ((STATUS == 0 && DRILL_OK == 1)); then
    publish restore_drill restore_drill_last_status 1 restore_drill_last_success_timestamp_seconds "$EPOCHSECONDS" \
      restore_drill_last_duration_seconds "$(elapsed "$DRILL_BEGUN")"
  else
    publish restore_drill restore_drill_last_status 0 restore_drill_last_success_timestamp_seconds \
      "$(published restore_drill restore_drill_last_success_timestamp_seconds)" restore_drill_last_duration_seconds \
      "$(published restore_drill restore_drill_last_duration_seconds)"
  fi
}

drill_dump() {
  local file began=$EPOCHREALTIME directory=$DRILL/dump
  file=$(resolve latest)
  verify "$file"
  mkdir -m 0700 "$directory"
  start_scratch "$directory"
  in_scratch "$directory" createdb "$BACKUP_DATABASE"
  decrypt "$file" |
    in_scratch "$directory" pg_restore --exit-on-error --no-owner --no-privileges --dbname "$BACKUP_DATABASE" ||
    fail "$FAILED" "$(basename "$file") cannot be restored"
  RTO_DUMP=$(elapsed "$began")
  compare "${file%.dump.age}.json" "$(content_sql | in_scratch "$directory" psql -XqAt --set ON_ERROR_STOP=1 --dbname "$BACKUP_DATABASE")"
  log "$(basename "$file" .dump.age) restored in $RTO_DUMP s: $(jq '[.tables[].rows] | add // 0' "${file%.dump.age}.json") rows in $(jq '.tables | length' "${file%.dump.age}.json") tables, as in its manifest"
  pg_ctl --pgdata "$directory/data" --mode immediate stop >/dev/null
  rm -rf "$directory"
}

drill_archive() {
  local began=$EPOCHREALTIME directory=$DRILL/archive last content safe
  # Up to here the archive is complete, as its watch says; what was committed since would be lost now.
  safe=$(published backup_wal 'backup_last_success_timestamp_seconds{kind="wal"}')
  if ((safe == 0)); then safe=$(newest_base '' stop); fi
  RPO=$((${began%.*} - safe))
  mkdir -m 0700 "$directory"
  recover "$directory/data" >&2
  start_scratch "$directory"
  RTO_ARCHIVE=$(elapsed "$began")
  last=$(in_scratch "$directory" psql -XqAt --command 'SELECT extract(epoch FROM pg_last_xact_replay_timestamp())')
  # Nothing was committed since the base backup.
  : "${last:=$(newest_base '' stop)}"
  # A mark is committed every BACKUP_MARK_SECONDS, so that the last commit is never much older than what is safe.
  ((${last%.*} >= safe - 2 * BACKUP_MARK_SECONDS)) ||
    fail "$FAILED" "the archive was recovered up to $(utc "$last") only, and should be complete up to $(utc "$safe")"
  content=$(content_sql | in_scratch "$directory" psql -XqAt --set ON_ERROR_STOP=1 --dbname "$BACKUP_DATABASE")
  in_scratch "$directory" pg_amcheck --install-missing --database "$BACKUP_DATABASE" ||
    fail "$FAILED" 'the recovered database is damaged'
  log "the archive recovered in $RTO_ARCHIVE s, up to $(utc "$last"): $(jq '[.tables[].rows] | add // 0' <<<"$content") rows in $(jq '.tables | length' <<<"$content") tables, every page and index whole"
}
