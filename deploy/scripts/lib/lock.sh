# shellcheck shell=bash
# One change of an environment at a time. The lock names its owner and expires, so that nothing stays locked by a process that
# was killed, or a machine that is gone; while its owner lives it is renewed. Scripts that the owner calls share it.

readonly LOCK_TTL=${EYRIE_LOCK_TTL:-600}
LOCK_TOKEN='' LOCK_KEEPER=''

# with_lock VERB: takes the lock until the script ends, or ends with status 75 and a line that says who has it.
with_lock() {
  [[ $DRY_RUN == true ]] && return
  local holder
  mkdir -p "$STATE_DIR"
  if [[ ${EYRIE_LOCK_TOKEN:-} && $(lock_field token) == "$EYRIE_LOCK_TOKEN" ]]; then return; fi
  LOCK_TOKEN=$$-$RANDOM$RANDOM
  # The guard makes looking and taking one step; the kernel drops it with the process.
  exec {guard}>"$STATE_DIR/lock.guard"
  flock --wait 10 "$guard" || fail "$LOCKED" "$STATE_DIR/lock.guard is held by another process"
  holder=$(lock_holder)
  if [[ -f $STATE_DIR/lock ]] && lock_is_live; then
    exec {guard}>&-
    fail "$LOCKED" "$holder; nothing was changed"
  fi
  if [[ -f $STATE_DIR/lock ]]; then
    warn "taking over a lock that was left behind: $holder"
    audit lock_taken_over "from=$holder"
  fi
  write_lock "$1"
  exec {guard}>&-
  export EYRIE_LOCK_TOKEN=$LOCK_TOKEN
  keep_lock &
  LOCK_KEEPER=$!
  on_exit release_lock
}

# keep_lock: renews it until its owner is gone or the lock has become another's. Holds none of the owner's files open.
keep_lock() {
  trap - ERR
  trap 'kill $! 2>/dev/null' EXIT
  trap 'exit 0' TERM
  trap '' INT HUP
  while :; do
    sleep "$((LOCK_TTL / 5))" &
    wait $!
    kill -0 $$ 2>/dev/null || exit 0
    exec {guard}>"$STATE_DIR/lock.guard"
    flock --wait 10 "$guard" && [[ $(lock_field token) == "$LOCK_TOKEN" ]] || exit 0
    write_lock "$(lock_field verb)"
    exec {guard}>&-
  done
} >/dev/null 2>&1 </dev/null

# check_lock: ends the script when the lock has gone to somebody else, as after a long sleep of the machine.
check_lock() {
  [[ $DRY_RUN != true && $LOCK_TOKEN ]] || return 0
  if [[ $(lock_field token) != "$LOCK_TOKEN" ]]; then
    LOCK_TOKEN=''
    fail "$LOCKED" "the lock was lost: $(lock_holder); stopping here"
  fi
}

# In what runs on exit, bash 5.2 loses sight of a $( ) that stands within [[ ]], and complains: hence the variables.

# lock_lost: whether this script had the lock, and it is another's now.
lock_lost() {
  local token
  token=$(lock_field token)
  [[ ${EYRIE_LOCK_TOKEN:-} && $token != "$EYRIE_LOCK_TOKEN" ]]
}

release_lock() {
  local token
  token=$(lock_field token)
  if [[ $LOCK_TOKEN && $token == "$LOCK_TOKEN" ]]; then rm -f "$STATE_DIR/lock"; fi
  if [[ $LOCK_KEEPER ]]; then kill "$LOCK_KEEPER" 2>/dev/null; fi
}

write_lock() {
  local temporary
  temporary=$(mktemp "$STATE_DIR/lock.XXXXXX")
  printf '%s=%s\n' owner "$ACTOR" host "$HOST" pid $$ born "$(born $$)" verb "$1" since "$(now)" \
    expires "$(($(date +%s) + LOCK_TTL))" token "$LOCK_TOKEN" >"$temporary"
  mv -f "$temporary" "$STATE_DIR/lock"
}

lock_field() { if [[ -f $STATE_DIR/lock ]]; then sed -n "s/^$1=//p" "$STATE_DIR/lock" 2>/dev/null || true; fi; }

lock_holder() {
  printf '%s holds the lock of %s (pid %s, %s since %s)' "$(lock_field owner)" "$ENV_NAME" "$(lock_field pid)" \
    "$(lock_field verb)" "$(lock_field since)"
}

# lock_is_live: its time has not passed and, if it is of this host, its process still runs.
lock_is_live() {
  local expires pid
  expires=$(lock_field expires) pid=$(lock_field pid)
  [[ $expires =~ ^[0-9]+$ && $pid =~ ^[0-9]+$ ]] || return 1
  ((expires > $(date +%s))) || return 1
  [[ $(lock_field host) == "$HOST" ]] || return 0
  kill -0 "$pid" 2>/dev/null && [[ $(born "$pid") == "$(lock_field born)" ]]
}

# born PID: when it started, in the kernel's ticks, because numbers of processes are used again.
born() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20 || true; }
