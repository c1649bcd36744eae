# shellcheck shell=bash
# .state/unfinished is written before the first change of what serves, and removed after the last. While it is there, what it
# says is the last good release: whoever fails, is interrupted, or finds it left behind by a killed script returns to that.

# begin_release IMAGE STRATEGY: remembers what serves now.
begin_release() {
  local slot running
  if [[ $DRY_RUN != true ]]; then
    {
      printf 'since=%s\nimage=%s\nstrategy=%s\nactive=%s\nEYRIE_IMAGE=%s\n' "$(now)" "$1" "$2" "$ACTIVE" \
        "$(env_get EYRIE_IMAGE)"
      for slot in "$ACTIVE" worker; do
        running=$(running_image "$slot")
        printf '%s=%s\n%s=%s\n' "${slot^^}_IMAGE" "${running:-$(slot_image "$slot")}" \
          "${slot^^}_REPLICAS" "$(slot_replicas "$slot")"
        printf '%s=%s\n' "running_$slot" "${running:+yes}"
      done
    } >"$STATE_DIR/unfinished.new"
    mv -f "$STATE_DIR/unfinished.new" "$STATE_DIR/unfinished"
  fi
  audit cutover_begun "image=$1" "strategy=$2"
  on_exit return_if_unfinished
}

unfinished() { if [[ -f $STATE_DIR/unfinished ]]; then sed -n "s/^$1=//p" "$STATE_DIR/unfinished"; fi; }

# commit_release: from here on the new one is the good one.
commit_release() { if [[ $DRY_RUN != true ]]; then rm -f "$STATE_DIR/unfinished"; fi; }

# running_image SLOT: the pinned name of the image that runs in it; of several the commonest. A tag that has moved since the
# containers were made says nothing about them.
running_image() {
  local id
  id=$(look "$1" | awk '$3 == "running" { print $2 }' | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }')
  [[ $id ]] || return 0
  pin_image "$id" "$(repository_of "$(slot_image "$1")")"
  printf '%s\n' "$PINNED"
}

# On exit: everything after begin_release and before commit_release has failed or was interrupted.
return_if_unfinished() {
  local image
  [[ $DRY_RUN != true && -f $STATE_DIR/unfinished ]] || return 0
  if lock_lost; then return; fi
  image=$(unfinished image)
  audit cutover_failed "image=$image" "reason=$FAILURE"
  say 'return to the last good release'
  return_to_good
  if ((GOOD == 1)); then
    record_release "$image" "$(image_digest "$image" || true)" "$(unfinished strategy)" failed "${REF:-$image}"
    rm -f "$STATE_DIR/unfinished"
    audit returned_to_good
    say "the last good release serves; ${image} was taken back"
  else
    audit return_failed
    warn "not all of the last good release is back: deploy/scripts/status tells, the next deploy or rollback mends it"
  fi
}

# mend: what a killed script has left behind.
mend() {
  [[ -f $STATE_DIR/unfinished ]] || return 0
  say "mend: the $(unfinished strategy) deploy of $(unfinished image), begun $(unfinished since), was never finished"
  if [[ $DRY_RUN == true ]]; then
    note 'return to the last good release first'
    return
  fi
  audit mend "image=$(unfinished image)"
  return_to_good
  ((GOOD == 1)) || fail "$FAILED" 'the last good release is not back: nothing new is begun'
  rm -f "$STATE_DIR/unfinished"
}

# return_to_good: traffic first, then containers and .env; GOOD is 1 when all of it worked. Each part is tried even when
# another failed. Safe to repeat.
return_to_good() {
  local active part status
  active=$(unfinished active)
  GOOD=1
  # A replica of the last good release is good, whatever settings it was started with, and has shown that it lasts.
  SINCE=0 STEADY=0
  for part in back_traffic_at_once "back_slot $active" back_traffic 'back_slot worker' \
    "drop_slot $(other_slot "$active")" back_default; do
    # A shell of its own, which what fails in it ends; and not within an `if`, where errexit sleeps.
    set +e
    (
      trap - EXIT
      set -e
      $part "$active"
    )
    status=$?
    if ((status != 0)); then
      GOOD=0
      warn "$part: status $status"
    fi
  done
  [[ $STATUS != 0 ]] || set -e
}
GOOD=0

back_default() { if [[ $(unfinished EYRIE_IMAGE) ]]; then env_set EYRIE_IMAGE "$(unfinished EYRIE_IMAGE)"; fi; }
# Before anything else, if there is somebody to serve it.
back_traffic_at_once() { if look "$1" | grep -q ' running healthy '; then back_traffic "$1"; fi; }

back_traffic() { if [[ $(unfinished "running_$1") ]]; then set_traffic "$(weights "$1" 0)"; fi; }

back_slot() { # SLOT
  local image replicas
  image=${1^^}_IMAGE replicas=${1^^}_REPLICAS
  env_set "$image" "$(unfinished "$image")"
  env_set "$replicas" "$(unfinished "$replicas")"
  if [[ $(unfinished "running_$1") ]]; then
    settle plan_roll "$1"
  else
    empty_slot "$1"
  fi
}

# drop_slot SLOT: nothing of it is left.
drop_slot() {
  env_set "${1^^}_REPLICAS" 0
  empty_slot "$1"
}

empty_slot() {
  local -a names
  read -r -a names <<<"$(names_in "$1")"
  if ((${#names[@]} > 0)); then remove_replicas "$1" "${names[@]}"; fi
}
