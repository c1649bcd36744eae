# shellcheck shell=bash
# Who did what, and when: a JSON object a line in .state/audit.log, only ever appended to.

ACTOR=${SUDO_USER:-$(id -un)}@$(hostname)

# audit EVENT key=value…: never give it a secret. Credentials in a URL are blotted out in any case.
audit() {
  [[ $DRY_RUN == true ]] && return
  local line pair
  line="{\"time\":\"$(now)\",\"verb\":$(json_string "$VERB"),\"event\":$(json_string "$1")"
  line+=",\"environment\":$(json_string "$ENV_NAME"),\"actor\":$(json_string "$ACTOR"),\"pid\":$$"
  shift
  for pair in "$@"; do line+=",$(json_string "${pair%%=*}"):$(json_string "$(without_credentials "${pair#*=}")")"; done
  mkdir -p "$STATE_DIR"
  printf '%s}\n' "$line" >>"$STATE_DIR/audit.log"
}

without_credentials() {
  if [[ $1 != *://* ]]; then
    printf '%s' "$1"
    return
  fi
  printf '%s' "$1" | sed 's#://[^/@[:space:]]*@#://***@#g'
}
