# shellcheck shell=bash
# What is there now. Under --dry-run nothing is asked of Docker: there it is as .env says, and as the steps so far would have
# made it.

declare -A DRY_WORLD=()
DRY_TRAFFIC=''

# look SLOT: a line a container: NAME IMAGE_ID STATE HEALTH RESTARTS CREATED (seconds), oldest first.
look() {
  local -a names lines created
  local i
  if [[ $DRY_RUN == true ]]; then
    printf '%s' "${DRY_WORLD[$1]:-}"
    return
  fi
  mapfile -t names < <(ask cmd_list "$(service_of "$1")")
  ((${#names[@]} > 0)) || return 0
  # A container that goes away between the two questions is left out.
  mapfile -t lines < <(ask cmd_inspect "${names[@]}" 2>/dev/null || true)
  ((${#lines[@]} > 0)) || return 0
  mapfile -t created < <(printf '%s\n' "${lines[@]##* }" | date -f - +%s)
  for i in "${!lines[@]}"; do lines[i]="${lines[i]% *} ${created[i]}"; done
  printf '%s\n' "${lines[@]#/}" | sort -k 6n -k 1V
}

# names_in SLOT: of its containers, on one line.
names_in() {
  local name line=''
  while read -r name _; do line+=" $name"; done < <(look "$1")
  echo "${line# }"
}

begin_dry_world() {
  local slot i
  for slot in blue green worker; do
    for ((i = 1; i <= $(slot_replicas "$slot"); i++)); do dry_start "$slot" "$(slot_image "$slot")"; done
  done
}

dry_start() { # SLOT IMAGE: one that has today's settings, once SINCE when is known
  local last
  last=$(names_in "$1")
  last=${last##*-}
  DRY_WORLD[$1]+="$PROJECT-$(service_of "$1")-$((${last:-0} + 1)) $2 running healthy 0 ${SINCE:-0}"$'\n'
}

dry_remove() { # SLOT NAME
  DRY_WORLD[$1]=$(look "$1" | grep -v "^$2 " || true)
  DRY_WORLD[$1]+=${DRY_WORLD[$1]:+$'\n'}
}

# Where .env says nothing.
declare -rA REPLICAS=([blue]=3 [green]=0 [worker]=2)
slot_image() { env_get "${1^^}_IMAGE" "$(env_get EYRIE_IMAGE eyrie:latest)"; }
slot_replicas() { env_get "${1^^}_REPLICAS" "${REPLICAS[$1]}"; }

# traffic_now: blue=N green=M, of Nginx itself, or as it was last set while Nginx is not there to be asked.
traffic_now() {
  local now=''
  if [[ $DRY_RUN == true ]]; then now=$DRY_TRAFFIC; else now=$(ask cmd_traffic 2>/dev/null || true); fi
  if [[ ! $now && -f $STATE_DIR/traffic ]]; then now=$(<"$STATE_DIR/traffic"); fi
  printf '%s\n' "${now:-blue=100 green=0}"
}

# set_traffic "blue=N green=M"
set_traffic() {
  local -a parts
  read -r -a parts <<<"$1"
  if [[ $DRY_RUN != true && $(traffic_now) == "$1" ]]; then return; fi
  quietly perform cmd_traffic "${parts[@]}" || fail "$FAILED" "Nginx did not take the traffic $1"
  if [[ $DRY_RUN == true ]]; then DRY_TRAFFIC=$1; else printf '%s\n' "$1" >"$STATE_DIR/traffic"; fi
  audit traffic "weights=$1"
}

# settings_files: what replicas are started with, besides .env.
settings_files() { printf '%s\n' "$ROOT/deploy/prod/compose.yaml" "$ENV_DIR/app.env" "$ENV_DIR"/secrets/*; }

# When one of them, or .env, was changed last: seconds since 1970.
settings_changed_at() {
  { settings_files; echo "$ENV_DIR/.env"; } | xargs -d '\n' stat --format %Y 2>/dev/null | sort -n | tail -n 1
}

# The settings that every replica was started with, in short: replicas older than a change of them are replaced too, even when
# their image is the wanted one. What the scripts themselves change in .env does not count.
settings_digest() {
  {
    settings_files | xargs -d '\n' cat 2>/dev/null || true
    grep -vE '^[[:space:]]*(#|$|(EYRIE|BLUE|GREEN|WORKER)_IMAGE=|(BLUE|GREEN|WORKER)_REPLICAS=)' "$ENV_DIR/.env" || true
  } | sha256sum | cut -d ' ' -f 1
}
