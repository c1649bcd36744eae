# shellcheck shell=bash
# What is to be done, as text: pure functions, without Docker.

# plan_roll WANT "FRESH…" "STALE…": how a slot gets WANT replicas of the new kind, one at a time, never with fewer than it
# wants. A line a step: `start TOTAL` (so many there are then) or `remove NAME…`. A slot in which nothing is stale is filled
# at once. Wherever an earlier run ended, what is there is taken into account.
plan_roll() {
  local want=$1 fresh stale total count
  read -r -a fresh <<<"$2"
  read -r -a stale <<<"$3"
  count=${#fresh[@]} total=$((${#fresh[@]} + ${#stale[@]}))
  while ((count < want || ${#stale[@]} > 0)); do
    if ((${#stale[@]} == 0)); then
      echo "start $want"
      count=$want
    elif ((count >= want || total > want)); then
      echo "remove ${stale[0]}"
      stale=("${stale[@]:1}")
      total=$((total - 1))
    else
      total=$((total + 1)) count=$((count + 1))
      echo "start $total"
    fi
  done
  # More than wanted: the last ones go.
  while ((count > want)); do
    count=$((count - 1))
    echo "remove ${fresh[count]}"
  done
}

# plan_fill WANT "FRESH…" "STALE…": the same for a slot without traffic: first away with the old, then all the new at once.
plan_fill() {
  if [[ $3 ]]; then echo "remove $3"; fi
  plan_roll "$1" "$2" ''
}

# share REPLICAS PERCENT: how many replicas carry that percentage, at least one.
share() { echo "$((($1 * $2 + 99) / 100))"; }

# plan_canary WEIGHT STEPS: the shares one after the other: WEIGHT, and the steps above it and below 100, rising.
plan_canary() { printf '%s,%s\n' "$1" "$2" | tr ',' '\n' | awk -v first="$1" '$1 >= first && $1 < 100' | sort -n | uniq | paste -s -d ' '; }

other_slot() { if [[ $1 == blue ]]; then echo green; else echo blue; fi; }

# weights ACTIVE PERCENT: PERCENT for the other slot, the rest for ACTIVE, in the order that `traffic` prints.
weights() {
  if [[ $1 == blue ]]; then echo "blue=$((100 - $2)) green=$2"; else echo "blue=$2 green=$((100 - $2))"; fi
}

# heavier "blue=90 green=10": the slot that has more.
heavier() {
  local blue=${1#*blue=} green=${1#*green=}
  blue=${blue%%[!0-9]*} green=${green%%[!0-9]*}
  if ((${green:-0} > ${blue:-0})); then echo green; else echo blue; fi
}
