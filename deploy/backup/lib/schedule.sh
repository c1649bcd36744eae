# shellcheck shell=bash
# Everything at its time, one at a time. When a job ran last is read from what it left behind, so that a restart forgets nothing
# and what was missed runs at once.

readonly JOBS='full incremental dump drill'
# This file is there once the repository is ready for base backups.
readonly STANZA=/tmp/stanza

schedule() {
  local job
  local -A due=()
  trap 'log "stopping"; exit 0' TERM
  first_metrics
  rm -f "$STANZA"
  { wait_for_stanza && watch_archive; } &
  on_exit "kill $! 2>/dev/null"
  for job in $JOBS; do due[$job]=$(due_after "$job" "$(last_run "$job")"); done
  while true; do
    touch /tmp/schedule.alive
    publish_certificates
    # At once, but a failed attempt waits its time as any.
    if [[ -e $GAP ]] && ((due[full] > EPOCHSECONDS + BACKUP_RETRY_SECONDS)); then due[full]=0; fi
    for job in $JOBS; do
      ((EPOCHSECONDS >= due[$job])) || continue
      # A dump needs no repository.
      [[ $job == dump || -e $STANZA ]] || continue
      if run_job "$job"; then
        due[$job]=$(due_after "$job" "$EPOCHSECONDS")
        # The base of an incremental backup has just been made.
        if [[ $job == full ]]; then due[incremental]=$(due_after incremental "$EPOCHSECONDS"); fi
      else
        due[$job]=$((EPOCHSECONDS + BACKUP_RETRY_SECONDS))
      fi
    done
    pause 10
  done
}

# due_after JOB TIME: its first time after TIME; at once where TIME is 0, that is, it never ran.
due_after() {
  if (($2 == 0)); then
    echo 0
  else
    cron_next "$(schedule_of "$1")" "$2" || echo 32503680000
  fi
}

# wait_for_stanza: the storage may be away, or the repository another cluster's; it is said, and tried again.
wait_for_stanza() {
  until (ensure_stanza); do
    touch /tmp/archive.alive
    failed_backup wal
    sleep 20
  done
  touch "$STANZA"
}

# run_job JOB: in a process of its own. While it runs, the schedule is alive.
run_job() {
  local status=0
  log "$1: its time has come"
  case $1 in
    full | incremental) "$0" base "${1:0:4}" & ;;
    *) "$0" "$1" & ;;
  esac
  local job=$!
  while kill -0 "$job" 2>/dev/null; do
    touch /tmp/schedule.alive
    pause 1
  done
  wait "$job" || status=$?
  # From this backup on every moment can be restored again.
  if [[ $1 == full && $status == 0 ]]; then rm -f "$GAP"; fi
  ((status == 0)) || complain "$1 failed with status $status; next attempt in $BACKUP_RETRY_SECONDS s"
  return "$status"
}

schedule_of() {
  case $1 in
    full) echo "$BACKUP_FULL_SCHEDULE" ;;
    incremental) echo "$BACKUP_INCREMENTAL_SCHEDULE" ;;
    dump) echo "$BACKUP_DUMP_SCHEDULE" ;;
    drill) echo "$BACKUP_DRILL_SCHEDULE" ;;
  esac
}

# last_run JOB: when it last succeeded, in seconds; 0 if never.
last_run() {
  case $1 in
    full) newest_base full ;;
    incremental) newest_base ;;
    dump) newest_dump ;;
    drill) printf '%.0f\n' "$(published restore_drill restore_drill_last_success_timestamp_seconds)" ;;
  esac
}

newest_dump() {
  local newest
  newest=$(dumps | tail -n 1)
  if [[ $newest =~ ([0-9]{8})T([0-9]{2})([0-9]{2})([0-9]{2})Z$ ]]; then
    date -u -d "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}:${BASH_REMATCH[3]}:${BASH_REMATCH[4]}" +%s
  else
    echo 0
  fi
}

# first_metrics: what never ran is there as 0, so that its absence is not overlooked.
first_metrics() {
  local kind
  for kind in dump base wal; do
    [[ -e $TEXTFILE/backup_$kind.prom ]] || failed_backup "$kind"
  done
  [[ -e $TEXTFILE/restore_drill.prom ]] || { STATUS=1 report_drill; }
}

# pause SECONDS: a signal ends it at once.
pause() {
  sleep "$1" &
  wait $! || true
}

# health: whether the schedule and the archive's watch have been alive lately. That backups succeed is the metrics' matter: a
# restart would not mend it.
health() {
  local file
  for file in /tmp/schedule.alive /tmp/archive.alive; do
    if [[ ! -e $file ]] || ((EPOCHSECONDS - $(stat -c %Y "$file") > 120)); then
      fail "$FAILED" "$(basename "$file" .alive) stands still"
    fi
  done
}
