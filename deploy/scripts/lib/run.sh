# shellcheck shell=bash
# The one place that runs commands, and what happens when a script is interrupted.

CHILD=''
declare -a ON_EXIT=()

# run CMD…: under --dry-run prints `+ CMD`, quoted to be pasted; else runs it, so that a signal is acted on at once and not
# when CMD has ended.
run() {
  if [[ $1 == compose ]]; then set -- "${COMPOSE[@]}" "${@:2}"; fi
  if [[ $DRY_RUN == true ]]; then
    show_command "$@"
    return
  fi
  local status=0
  "$@" <&0 &
  CHILD=$!
  wait "$CHILD" || status=$?
  CHILD=''
  if ((status != 0)); then FAILURE="\`$*\` failed with status $status"; fi
  return "$status"
}

# show_command CMD…: as a line of shell. The long beginning of compose commands is printed once, as a function.
show_command() {
  local line='+'
  if [[ $1 == env && ${*:3:${#COMPOSE[@]}} == "${COMPOSE[*]}" ]]; then
    set -- "$2" compose "${@:3+${#COMPOSE[@]}}"
  elif [[ ${*:1:${#COMPOSE[@]}} == "${COMPOSE[*]}" ]]; then
    set -- compose "${@:1+${#COMPOSE[@]}}"
  fi
  while (($# > 0)); do
    if [[ $1 =~ ^[A-Za-z0-9_./:=@%+,-]+$ ]]; then line+=" $1"; else line+=" $(quoted "$1")"; fi
    shift
  done
  printf '%s\n' "$line"
}

quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

# perform BUILDER ARG…: runs the command that BUILDER (lib/commands.sh) puts into the array argv.
perform() {
  local -a argv=()
  "$@"
  run "${argv[@]}"
}

# quietly perform …: without what the command says when all is well. What --dry-run prints stays.
quietly() { if [[ $DRY_RUN == true ]]; then "$@"; else "$@" >/dev/null; fi; }

# ask BUILDER ARG…: the same for a command that only looks, with a limit of time. Not for --dry-run.
ask() {
  local -a argv=()
  "$@"
  timeout 30 "${argv[@]}"
}

# on_exit COMMAND…: to be run at the end, last in, first out, whatever the end is. STATUS holds the script's status.
on_exit() { ON_EXIT=("$*" "${ON_EXIT[@]}"); }

STATUS=0
finish() {
  STATUS=$?
  trap '' INT TERM HUP
  trap - ERR
  set +e
  local step
  # A command that failed without anybody having said what that means.
  if ((STATUS != 0)) && [[ $FAILURE_SAID == false ]]; then say_failure "${FAILURE:-ended with status $STATUS}"; fi
  for step in "${ON_EXIT[@]}"; do eval "$step"; done
  exit "$STATUS"
}
trap finish EXIT

# interrupted STATUS SIGNAL: gives the running command a moment to end, then ends the script; on_exit does the rest.
interrupted() {
  trap '' INT TERM HUP
  # Whoever hung up reads no more; what is said from now on is kept.
  if [[ $2 == HUP ]]; then exec >>"${STATE_DIR:-/tmp}/interrupted.log" 2>&1; fi
  say_failure "interrupted by SIG$2"
  if [[ $CHILD ]] && kill -TERM "$CHILD" 2>/dev/null; then
    local tries=100
    while ((tries-- > 0)) && kill -0 "$CHILD" 2>/dev/null; do sleep 0.1; done
  fi
  exit "$1"
}
trap 'interrupted 130 INT' INT
trap 'interrupted 143 TERM' TERM
trap 'interrupted 129 HUP' HUP

unexpected() { if [[ $FAILURE_SAID == false && $2 != return* ]]; then FAILURE="\`$2\` failed with status $1"; fi; }
trap 'unexpected $? "$BASH_COMMAND"' ERR
