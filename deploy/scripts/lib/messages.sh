# shellcheck shell=bash
# What people see. A terminal that has gone away must not stop a deploy half-way, so that writing never fails.

trap '' PIPE

# say STEP: a step begins.        note TEXT: a detail of it.
say() { printf '==> %s\n' "$*" 2>/dev/null || true; }
note() { printf '    %s\n' "$*" 2>/dev/null || true; }
warn() { printf '%s: warning: %s\n' "$VERB" "$*" >&2 2>/dev/null || true; }

# fail STATUS "one clear line": ends the script. Not from within $( ), which would end only that.
fail() {
  say_failure "${*:2}"
  exit "$1"
}

# say_failure "one clear line": why the script is about to end.
say_failure() {
  FAILURE=$1 FAILURE_SAID=true
  printf '%s: %s\n' "$VERB" "$FAILURE" >&2 2>/dev/null || true
}
FAILURE='' FAILURE_SAID=false

# confirm QUESTION: --yes, or a yes on the terminal; without either the script ends.
confirm() {
  local answer=''
  [[ ${OPT[yes]:-} || $DRY_RUN == true ]] && return
  [[ -t 0 ]] || fail "$WRONG_USAGE" "$1 Say --yes where there is no terminal."
  read -r -p "$1 [y/N] " answer
  [[ $answer == [yY]* ]] || fail "$FAILED" 'not confirmed: nothing was changed'
}

# json_string TEXT: as a JSON string.
json_string() {
  local string
  as_json string "$1"
  printf '%s' "$string"
}

# as_json VARIABLE TEXT: puts it, as a JSON string, into the variable.
as_json() {
  local -n json=$1
  local text=$2
  text=${text//\\/\\\\} text=${text//\"/\\\"} text=${text//$'\n'/\\n} text=${text//$'\t'/\\t} text=${text//$'\r'/\\r}
  # shellcheck disable=SC2034 # it is the caller's
  json='"'${text//[$'\001'-$'\037']/ }'"'
}
