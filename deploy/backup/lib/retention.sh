# shellcheck shell=bash
# Which dumps to keep: the LAST ones, because deploys make some too, and of each of the last DAILY days, WEEKLY weeks (ISO) and
# MONTHLY months that have one, the newest.
# Days without a dump do not count, so that a service that was away for a month comes back to the backups that it left.

# expired LAST DAILY WEEKLY MONTHLY: reads names, each with its time in it (…-20261114T021500Z…), and prints those to remove. Never
# the newest; a name without a time is nobody's to remove.
expired() {
  local last=$1 daily=$2 weekly=$3 monthly=$4 name day week month count=0 keep
  local -A days=() weeks=() months=()
  dated | sort --reverse | while read -r _ day week month name; do
    keep=false count=$((count + 1))
    if ((count == 1 || count <= last)); then keep=true; fi
    if [[ ! ${days[$day]:-} ]] && ((${#days[@]} < daily)); then days[$day]=1 keep=true; fi
    if [[ ! ${weeks[$week]:-} ]] && ((${#weeks[@]} < weekly)); then weeks[$week]=1 keep=true; fi
    if [[ ! ${months[$month]:-} ]] && ((${#months[@]} < monthly)); then months[$month]=1 keep=true; fi
    [[ $keep == true ]] || printf '%s\n' "$name"
  done
}

# dated: for each name that has one its time, day, week and month, and the name.
dated() {
  local -x TZ=UTC
  local name time week
  local -i year number shifted
  while read -r name; do
    [[ $name =~ ([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{6})Z ]] || continue
    time=${BASH_REMATCH[0]}
    # Days since 1970, from the Julian day number; printf knows the week. (date(1) would be a process for each name.)
    number=10#${BASH_REMATCH[2]} shifted=$(((14 - number) / 12)) year=$((10#${BASH_REMATCH[1]} + 4800 - shifted))
    printf -v week '%(%Y%m%d %G-W%V)T' "$(((10#${BASH_REMATCH[3]} + (153 * (number + 12 * shifted - 3) + 2) / 5 + 365 * year +
      year / 4 - year / 100 + year / 400 - 2472633) * 86400))"
    # No such day, such as 30 February
    [[ ${week% *} == "${time:0:8}" ]] || continue
    printf '%s %s %s %s %s\n' "$time" "${time:0:8}" "${week#* }" "${time:0:6}" "$name"
  done
}

expired_by_settings() { expired "$BACKUP_KEEP_LAST" "$BACKUP_KEEP_DAILY" "$BACKUP_KEEP_WEEKLY" "$BACKUP_KEEP_MONTHLY"; }
