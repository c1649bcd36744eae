# shellcheck shell=bash
# From one release to the next without a failed request. ACTIVE is the slot that serves. What these change is undone by
# lib/recover.sh when they fail.

source "$LIB/commands.sh"
source "$LIB/plan.sh"
source "$LIB/images.sh"
source "$LIB/world.sh"
source "$LIB/releases.sh"
source "$LIB/watch.sh"
source "$LIB/replicas.sh"
source "$LIB/recover.sh"
source "$LIB/checks.sh"

ACTIVE=blue

find_active() {
  ACTIVE=$(heavier "$(traffic_now)")
  (($(slot_replicas "$ACTIVE") > 0)) ||
    fail "$MISCONFIGURED" "all traffic goes to $ACTIVE, but ${ACTIVE^^}_REPLICAS in .env is 0"
}

# parse_limits: the flags that deploy and rollback share.
parse_limits() {
  ATTEMPTS=${OPT[attempts]:-10}
  whole --attempts "$ATTEMPTS" 1
  seconds INTERVAL "${OPT[interval]:-10s}"
  seconds STEADY "${OPT[steady]:-5s}"
  seconds WATCH "${OPT[watch]:-10s}"
  seconds STEP_DURATION "${OPT['step-duration']:-60s}"
  MAX_ERROR_RATE=${OPT['max-error-rate']:-1}
  MAX_ERROR_RATE=${MAX_ERROR_RATE%\%}
  MAX_LATENCY_RATIO=${OPT['max-latency-ratio']:-1.5}
  decimal --max-error-rate "$MAX_ERROR_RATE"
  decimal --max-latency-ratio "$MAX_LATENCY_RATIO"
  MIN_LATENCY=${OPT['min-latency']:-100}
  MIN_LATENCY=${MIN_LATENCY%ms}
  whole --min-latency "$MIN_LATENCY"
  MIN_REQUESTS=${OPT['min-requests']:-50}
  whole --min-requests "$MIN_REQUESTS" 1
}

decimal() { [[ $2 =~ ^[0-9]{1,5}(\.[0-9]{1,4})?$ ]] || fail "$WRONG_USAGE" "$1 must be a number, not '$2'"; }

# cutover_rolling IMAGE: in the active slot, one replica after the other.
cutover_rolling() {
  set_traffic "$(weights "$ACTIVE" 0)"
  env_set "${ACTIVE^^}_IMAGE" "$1"
  settle plan_roll "$ACTIVE" watched
  drop_slot "$(other_slot "$ACTIVE")"
}

# cutover_blue_green IMAGE: the other slot is started, tried, and given all traffic at once. The old one stays for a rollback.
cutover_blue_green() {
  local other
  other=$(other_slot "$ACTIVE")
  env_set "${other^^}_IMAGE" "$1"
  scale_to "$other" "$(slot_replicas "$ACTIVE")"
  switch_to "$other"
}

# cutover_canary IMAGE WEIGHTS: the other slot takes a growing share while it is no worse than the active one.
cutover_canary() {
  local other weight total
  other=$(other_slot "$ACTIVE") total=$(slot_replicas "$ACTIVE")
  env_set "${other^^}_IMAGE" "$1"
  for weight in $2; do
    scale_to "$other" "$(share "$total" "$weight")"
    say "canary: $weight % of the traffic for $STEP_DURATION s"
    set_traffic "$(weights "$ACTIVE" "$weight")"
    observe "$STEP_DURATION" "$((STEP_DURATION * 3))" "$(names_in "$other")" "$(names_in "$ACTIVE")" ||
      fail "$FAILED" "the canary at $weight % was aborted: $FINDING"
    if [[ $DRY_RUN != true ]]; then note "$FINDING"; fi
    audit canary_step "weight=$weight" "finding=$FINDING"
  done
  say 'canary: promoted'
  scale_to "$other" "$total"
  switch_to "$other"
}

# scale_to SLOT REPLICAS: a slot that is not all of the traffic's.
scale_to() {
  env_set "${1^^}_REPLICAS" "$2"
  settle plan_fill "$1"
}

# switch_to SLOT: all traffic, a request on the clients' way, and a look at what it answers.
switch_to() {
  local names
  names=$(names_in "$1")
  say "traffic: all to $1"
  set_traffic "$(weights "$(other_slot "$1")" 100)"
  ACTIVE=$1
  if [[ $DRY_RUN != true ]]; then note "switched, $SECONDS s after the start"; fi
  smoke_test "${names%% *}" "$(server_name)"
  observe "$WATCH" "$WATCH" "$names" '' || fail "$FAILED" "$1 with all of the traffic: $FINDING"
}

server_name() {
  local names
  names=$(env_get SERVER_NAME localhost)
  echo "${names%%[ ,]*}"
}

# cutover_workers IMAGE: one worker after the other; a worker that stops hands back its jobs.
cutover_workers() {
  env_set WORKER_IMAGE "$1"
  settle plan_roll worker
}

# first_installation IMAGE: nothing serves yet, so that there is nobody to be careful of.
first_installation() {
  env_set "${ACTIVE^^}_IMAGE" "$1"
  settle plan_fill "$ACTIVE"
  perform cmd_start nginx || fail "$FAILED" 'Nginx does not start'
  set_traffic "$(weights "$ACTIVE" 0)"
}

# finish_release IMAGE STRATEGY REF: the new one is the good one.
finish_release() {
  env_set EYRIE_IMAGE "$1"
  commit_release
  record_release "$1" "$(image_digest "$1")" "$2" good "$3"
  if [[ $DRY_RUN != true ]]; then settings_digest >"$STATE_DIR/settings"; fi
  audit released "image=$1" "strategy=$2" "ref=$3"
}
