# shellcheck shell=bash
# Times as in a crontab, in UTC: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday); `*`, numbers,
# ranges, lists and steps. Where both days are given, either will do, as cron has it.

# cron_next EXPRESSION AFTER: the first such minute after AFTER, both in seconds since 1970. Status 1 where none is.
cron_next() {
  local -x TZ=UTC
  local -a field minutes hours
  local days=' ' months=' ' weekdays=' ' day month dom dow h m either
  local -i first=$(($2 - $2 % 60 + 60)) midnight
  mapfile -t field <<<"$(cron_fields "$1")"
  ((${#field[@]} == 5)) || return 1
  read -ra minutes <<<"${field[0]}"
  read -ra hours <<<"${field[1]}"
  days=" ${field[2]} " months=" ${field[3]} " weekdays=" ${field[4]} "
  if [[ $weekdays == *' 7 '* ]]; then weekdays+='0 '; fi
  read -r _ _ dom _ dow <<<"$1"
  [[ $dom != \** && $dow != \** ]] && either=true || either=false
  # 29 February comes every eighth year at worst.
  for ((midnight = first - first % 86400, day = 0; day < 3000; day++, midnight += 86400)); do
    printf -v month '%(%-m %-d %w)T' "$midnight"
    read -r month dom dow <<<"$month"
    [[ $months == *" $month "* ]] || continue
    if [[ $either == true ]]; then
      [[ $days == *" $dom "* || $weekdays == *" $dow "* ]] || continue
    else
      [[ $days == *" $dom "* && $weekdays == *" $dow "* ]] || continue
    fi
    for h in "${hours[@]}"; do
      for m in "${minutes[@]}"; do
        if ((midnight + h * 3600 + m * 60 >= first)); then
          printf '%d\n' "$((midnight + h * 3600 + m * 60))"
          return
        fi
      done
    done
  done
  return 1
}

# cron_fields EXPRESSION: a line for each field, with all its values. Status 1 where the expression is wrong.
cron_fields() {
  local -a field
  read -ra field <<<"$1"
  ((${#field[@]} == 5)) || return 1
  cron_values "${field[0]}" 0 59 && cron_values "${field[1]}" 0 23 && cron_values "${field[2]}" 1 31 &&
    cron_values "${field[3]}" 1 12 && cron_values "${field[4]}" 0 7
}

cron_values() {
  local part
  local -a list values=()
  local -i low high step i
  IFS=, read -ra list <<<"$1"
  ((${#list[@]} > 0)) || return 1
  for part in "${list[@]}"; do
    [[ $part =~ ^(\*|([0-9]{1,2})(-([0-9]{1,2}))?)(/([0-9]{1,2}))?$ ]] || return 1
    if [[ ${BASH_REMATCH[1]} == \* ]]; then
      low=$2 high=$3
    else
      low=$((10#${BASH_REMATCH[2]})) high=$((10#${BASH_REMATCH[4]:-${BASH_REMATCH[2]}}))
      # A number with a step goes on to the end, as in most crons.
      if [[ ${BASH_REMATCH[6]} && ! ${BASH_REMATCH[4]} ]]; then high=$3; fi
    fi
    step=$((10#${BASH_REMATCH[6]:-1}))
    ((low >= $2 && high <= $3 && low <= high && step > 0)) || return 1
    for ((i = low; i <= high; i += step)); do values[i]=1; done
  done
  echo "${!values[*]}"
}
