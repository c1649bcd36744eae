# shellcheck shell=bash
# Replicas: start one and wait until it is good, drain one and remove it, and bring a whole slot to what .env says.

# Set by the verb: how long to wait for health, how long it must last, how long to watch, and since when a container's settings
# are today's.
ATTEMPTS=10 INTERVAL=10 STEADY=5 WATCH=10 SINCE=0
declare -a FRESH=() STALE=()
# How often each had been restarted when it was found healthy: more often since then, and it crashes.
declare -A RESTARTS=()

# sort_out SLOT: its containers into FRESH (wanted image, today's settings) and STALE. What does not run is removed.
sort_out() {
  local wanted name image state created
  FRESH=() STALE=()
  wanted=$(image_id "$(slot_image "$1")")
  [[ $wanted ]] || fail "$FAILED" "no image $(slot_image "$1") here"
  while read -r name image state _ _ created; do
    case $state in
      running | restarting | paused)
        if [[ $image == "$wanted" && $state == running ]] && ((created >= SINCE)); then
          FRESH+=("$name")
        else
          STALE+=("$name")
        fi
        ;;
      *) remove_replicas "$1" "$name" ;;
    esac
  done < <(look "$1")
}

# settle PLAN SLOT [WATCHED]: PLAN (lib/plan.sh) is carried out step by step until the slot is as .env says. With WATCHED each
# new replica is judged by what it answers before an old one goes.
settle() {
  local plan=$1 slot=$2 watched=${3:-} step
  local -a steps words
  sort_out "$slot"
  mapfile -t steps < <("$plan" "$(slot_replicas "$slot")" "${FRESH[*]}" "${STALE[*]}")
  if ((${#FRESH[@]} > 0)) && [[ $DRY_RUN != true ]]; then wait_healthy old "${FRESH[@]}"; fi
  for step in "${steps[@]}"; do
    read -r -a words <<<"$step"
    case ${words[0]} in
      start) start_replicas "$slot" "${words[1]}" "$watched" ;;
      remove) remove_replicas "$slot" "${words[@]:1}" ;;
    esac
  done
}

# start_replicas SLOT TOTAL [WATCHED]: so many that there are TOTAL, each healthy and answering rightly.
start_replicas() {
  local before name i
  local -a new=()
  before=$(names_in "$1")
  perform cmd_scale "$1" "$2" || fail "$FAILED" "Docker could not start a replica of $(service_of "$1")"
  if [[ $DRY_RUN == true ]]; then
    for ((i = $(wc -w <<<"$before"); i < $2; i++)); do dry_start "$1" "$(slot_image "$1")"; done
  fi
  for name in $(names_in "$1"); do
    if [[ " $before " != *" $name "* ]]; then new+=("$name"); fi
  done
  ((${#new[@]} > 0)) || fail "$FAILED" "no new replica of $(service_of "$1") has come up"
  wait_healthy new "${new[@]}"
  if [[ $1 != worker ]]; then
    for name in "${new[@]}"; do smoke_test "$name"; done
  fi
  audit replicas_started "slot=$1" "image=$(slot_image "$1")" "names=${new[*]}"
  FRESH+=("${new[@]}")
  if [[ ! $watched ]] || ((WATCH < STEADY)); then stay_healthy "${new[@]}"; fi
  if [[ $watched ]] && ! observe "$WATCH" "$WATCH" "${new[*]}" "${STALE[*]}"; then
    fail "$FAILED" "${new[*]}: $FINDING"
  fi
}

# remove_replicas SLOT NAME…: they drain together, as long as their grace period allows, and go.
remove_replicas() {
  local slot=$1 name
  shift
  quietly perform cmd_stop "$@" || true
  quietly perform cmd_remove "$@" || fail "$FAILED" "Docker could not remove $*"
  if [[ $DRY_RUN == true ]]; then
    for name in "$@"; do dry_remove "$slot" "$name"; done
  fi
  audit replicas_removed "slot=$slot" "names=$*"
}

# wait_healthy new|old NAME…: at most ATTEMPTS × INTERVAL, looking every second. Fails with the end of the log of the one that is
# not. One that is old may have been restarted before this, one that is new may not.
wait_healthy() {
  local age=$1 name state health restarts allowed told begun=$SECONDS limit=$((ATTEMPTS * INTERVAL))
  shift
  if [[ $DRY_RUN == true ]]; then
    note "wait until healthy, at most $limit s: $*"
    return
  fi
  for name in "$@"; do
    allowed='' told=''
    if [[ $age == new ]]; then allowed=0; fi
    while :; do
      state='' health='' restarts=0
      read -r _ _ state health restarts _ < <(ask cmd_inspect "$name" 2>/dev/null) || true
      allowed=${allowed:-$restarts}
      if [[ ! $state ]]; then fail "$FAILED" "$name has disappeared"; fi
      if [[ $state != running ]] || ((restarts > allowed)); then not_good "$name" 'crashes at its start'; fi
      case $health in
        healthy) break ;;
        none) fail "$FAILED" "$name has no health check: its image is none of ours" ;;
      esac
      if [[ ! $told ]]; then note "wait until healthy, at most $limit s: $name"; fi
      told=yes
      if ((SECONDS - begun >= limit)); then not_good "$name" "did not become healthy within $limit s"; fi
      pause 1
    done
    RESTARTS[$name]=$restarts
  done
}

# stay_healthy NAME…: what crashes does so soon after its start, but may have been healthy for a moment.
stay_healthy() {
  local bad
  if [[ $DRY_RUN == true ]]; then
    note "must stay healthy for $STEADY s: $*"
    return
  fi
  pause "$STEADY"
  bad=$(first_unsteady "$@")
  if [[ $bad ]]; then not_good "$bad" 'was healthy, but crashes'; fi
}

# first_unsteady NAME…: one of them that has stopped or was restarted since it was found healthy.
first_unsteady() {
  local name state restarts
  for name in "$@"; do
    state='' restarts=0
    read -r _ _ state _ restarts _ < <(ask cmd_inspect "$name" 2>/dev/null) || true
    if [[ $state != running || $restarts != "${RESTARTS[$name]:-$restarts}" ]]; then
      echo "$name"
      return
    fi
  done
}

not_good() {
  ask cmd_logs 5 "$1" 2>&1 | cut -c 1-400 | sed 's/^/      | /' >&2 || true
  fail "$FAILED" "$1 $2"
}

# smoke_test NAME [SERVER_NAME]: real requests, up to three times, for a moment's trouble of the database is not the image's.
# Sets VERSION.
smoke_test() {
  local answer tries=3
  if [[ $DRY_RUN == true ]]; then
    printf '%s < %s\n' "$(perform cmd_node "$@")" "$LIB/smoke.mjs"
    return
  fi
  until answer=$(ask cmd_node "$@" <"$LIB/smoke.mjs" 2>&1); do
    tries=$((tries - 1))
    ((tries > 0)) || fail "$FAILED" "$1 is healthy but does not answer rightly: $(tail -n 1 <<<"$answer")"
    pause 1
  done
  if (($# == 1)); then VERSION=$(tail -n 1 <<<"$answer"); fi
}
VERSION=''

# rehearse IMAGE: one replica with everything but a name that requests could find. What is broken about an image shows here,
# before anything has changed.
rehearse() {
  local name slot=$ACTIVE
  name=$PROJECT-rehearsal
  sweep "$name"
  on_exit sweep "$name"
  quietly perform cmd_once "${slot^^}_IMAGE" "$1" --detach --name "$name" "$(service_of "$slot")" ||
    fail "$FAILED" "Docker could not start $1"
  wait_healthy new "$name"
  smoke_test "$name"
  stay_healthy "$name"
  quietly perform cmd_remove "$name" || true
}

# sweep NAME: a one-off container that was left behind.
sweep() {
  if [[ $DRY_RUN != true ]] && ask cmd_inspect "$1" >/dev/null 2>&1; then quietly perform cmd_remove "$1"; fi
}
