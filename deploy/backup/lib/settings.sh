# shellcheck shell=bash
# Settings, their defaults, and what they must look like.

: "${BACKUP_DATABASE:=eyrie}" "${BACKUP_COPY_TO:=none}" "${BACKUP_REPOSITORY:=volume}"
: "${BACKUP_DUMP_SCHEDULE:=15 2 * * *}" "${BACKUP_DRILL_SCHEDULE:=30 3 * * 1}"
: "${BACKUP_FULL_SCHEDULE:=45 1 * * 0}" "${BACKUP_INCREMENTAL_SCHEDULE:=45 1 * * 1-6}"
: "${BACKUP_KEEP_LAST:=5}" "${BACKUP_KEEP_DAILY:=7}" "${BACKUP_KEEP_WEEKLY:=5}" "${BACKUP_KEEP_MONTHLY:=12}" "${BACKUP_KEEP_FULL:=2}"
# After a failure the job runs again before its time.
: "${BACKUP_RETRY_SECONDS:=900}"
# How long a backup that is asked for waits for one that runs.
: "${BACKUP_LOCK_SECONDS:=1800}"
export BACKUP_KEEP_FULL

# shellcheck disable=SC2034 # others use these
readonly DUMPS=/backups/dumps TEXTFILE=${BACKUP_TEXTFILE:-/textfile}

# check_settings: names every fault at once, and ends with status 78 if there is any.
check_settings() {
  local name
  local -a faults=()
  for name in BACKUP_DUMP_SCHEDULE BACKUP_FULL_SCHEDULE BACKUP_INCREMENTAL_SCHEDULE BACKUP_DRILL_SCHEDULE; do
    (cron_fields "${!name}") >/dev/null 2>&1 ||
      faults+=("$name is '${!name}'; wanted: five fields as in a crontab, in UTC, such as '15 2 * * *'")
  done
  for name in BACKUP_KEEP_LAST BACKUP_KEEP_DAILY BACKUP_KEEP_WEEKLY BACKUP_KEEP_MONTHLY BACKUP_KEEP_FULL BACKUP_RETRY_SECONDS; do
    [[ ${!name} =~ ^[0-9]{1,4}$ ]] || faults+=("$name is '${!name}'; wanted: a whole number up to 9999")
  done
  [[ $BACKUP_KEEP_FULL != 0 ]] || faults+=('BACKUP_KEEP_FULL is 0; wanted: 1 at least')
  [[ $BACKUP_COPY_TO =~ ^(none|path|s3)$ ]] || faults+=("BACKUP_COPY_TO is '$BACKUP_COPY_TO'; wanted: none, path or s3")
  [[ $BACKUP_REPOSITORY =~ ^(volume|s3)$ ]] || faults+=("BACKUP_REPOSITORY is '$BACKUP_REPOSITORY'; wanted: volume or s3")
  for name in "${faults[@]}"; do complain "$name"; done
  ((${#faults[@]} == 0)) || exit "$MISCONFIGURED"
  derive_key check >/dev/null
  if [[ $BACKUP_COPY_TO == s3 || $BACKUP_REPOSITORY == s3 ]]; then require_s3; fi
}

# only_one DIRECTORY WHAT: waits its turn. The kernel gives it back with the process, whatever its end.
only_one() {
  exec {turn}>"$1/.lock" || fail "$FAILED" "cannot write to $1"
  flock --wait "$BACKUP_LOCK_SECONDS" "$turn" ||
    fail "$LOCKED" "another one has been running for more than $BACKUP_LOCK_SECONDS s: no $2 now"
}
