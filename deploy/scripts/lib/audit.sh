# shellcheck shell=bash
# Who did what, and when: a JSON object a line in .state/audit.log, only ever appended to.

HOST=$(hostname)
ACTOR=${SUDO_USER:-$(id -un)}@$HOST

# audit EVENT key=value…: never give it a secret. Credentials in a URL are blotted out in any case.
audit() {
  [[ $DRY_RUN == true ]] && return
  local line pair key value
  TZ=UTC printf -v line '{"time":"%(%Y-%m-%dT%H:%M:%SZ)T","pid":%s' -1 $$
  for pair in "verb=$VERB" "event=$1" "environment=$ENV_NAME" "actor=$ACTOR" "${@:2}"; do
    if [[ $pair == *://*@* ]]; then pair=$(without_credentials "$pair"); fi
    as_json key "${pair%%=*}"
    as_json value "${pair#*=}"
    line+=,$key:$value
  done
  [[ -d $STATE_DIR ]] || mkdir -p "$STATE_DIR"
  printf '%s}\n' "$line" >>"$STATE_DIR/audit.log"
}

without_credentials() { printf '%s' "$1" | sed 's#://[^/@[:space:]]*@#://***@#g'; }
