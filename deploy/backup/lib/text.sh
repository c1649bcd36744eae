# shellcheck shell=bash
# What is said, and how it ends.
# shellcheck disable=SC2034 # others use these

# Exit statuses, as in sysexits.h where it has one.
readonly FAILED=1 WRONG_USAGE=2 REFUSED=65 LOCKED=75 MISCONFIGURED=78

log() { printf '%(%Y-%m-%dT%H:%M:%SZ)T %s\n' -1 "$*"; }
complain() { printf '%(%Y-%m-%dT%H:%M:%SZ)T error: %s\n' -1 "$*" >&2; }

# fail STATUS "one clear line": ends the program.
fail() {
  complain "${*:2}"
  exit "$1"
}

# human BYTES: as people write it.
human() { numfmt --to=iec-i --suffix=B --format='%.1f' "$1"; }

# utc SECONDS: the time, as people write it.
utc() { printf '%(%Y-%m-%dT%H:%M:%SZ)T' "${1%.*}"; }

# on_exit COMMAND…: to be run at the end, last in, first out, whatever the end is.
declare -a ON_EXIT=()
on_exit() {
  ON_EXIT=("$*" "${ON_EXIT[@]}")
  trap finish EXIT
}

finish() {
  STATUS=$?
  trap '' INT TERM
  set +e
  local step
  for step in "${ON_EXIT[@]}"; do eval "$step"; done
  exit "$STATUS"
}
STATUS=0
trap 'exit 130' INT
trap 'exit 143' TERM
# Writing to a program that has ended is an error like any other.
trap : PIPE
