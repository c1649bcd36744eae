# shellcheck shell=bash
# What must be there before anything is changed. All faults are told at once; under --dry-run they are told and no more.

check_all() {
  local -i faults=0
  check_tools
  check_settings
  if [[ $DRY_RUN != true ]]; then check_disk; fi
  ((faults == 0)) && return
  if [[ $DRY_RUN == true ]]; then
    note 'a real run would end here with status 78'
  else
    fail "$MISCONFIGURED" "$faults of the things that a deploy needs are missing or wrong (above); nothing was changed"
  fi
}

fault() {
  warn "$*"
  faults+=1
}

check_tools() {
  local tool
  for tool in awk flock sed sha256sum timeout; do
    command -v "$tool" >/dev/null || fault "there is no $tool on this machine"
  done
  [[ $DRY_RUN == true ]] && return
  docker compose version >/dev/null 2>&1 || fault 'there is no docker compose on this machine'
  timeout 30 docker info >/dev/null 2>&1 || fault 'the Docker engine does not answer'
}

check_settings() {
  local file
  local -a missing=()
  # Docker would make a folder of a file that is not there.
  while read -r file; do
    [[ -f $ENV_DIR/$file ]] || missing+=("$file")
  done < <(grep -o 'secrets/[a-z0-9_]\{1,\}' "$ROOT/deploy/prod/compose.yaml" | sort -u)
  for file in secrets/{database_url,redis_url,ingest_key,operator_key,webhook_signing_secret} app.env \
    config/alertmanager.yml certs/tls.{crt,key}; do
    [[ -s $ENV_DIR/$file || " ${missing[*]} " == *" $file "* ]] || missing+=("$file")
  done
  if ((${#missing[@]} > 0)); then fault "missing or empty: ${missing[*]}; deploy/scripts/init-secrets --env $ENV_DIR makes them"; fi
  if [[ -s $ENV_DIR/certs/tls.crt ]] && command -v openssl >/dev/null; then
    openssl x509 -in "$ENV_DIR/certs/tls.crt" -noout -checkend 86400 >/dev/null || fault 'certs/tls.crt ends within a day'
  fi
  if [[ $DRY_RUN == true ]]; then
    perform cmd_validate
  else
    perform cmd_validate || fault 'the compose file and .env do not fit each other'
  fi
}

# An image is unpacked before the old one goes, and a dump is written: with less than MIN_FREE_DISK MiB it would get stuck.
check_disk() {
  local root free least
  least=$(env_get MIN_FREE_DISK 2048)
  root=$(timeout 30 docker info --format '{{.DockerRootDir}}' 2>/dev/null || true)
  # An engine on another machine knows its own disks.
  [[ -d $root ]] || return 0
  free=$(df -Pm "$root" | awk 'NR == 2 { print $4 }')
  if ((free < least)); then fault "$root has $free MiB left, and MIN_FREE_DISK wants $least"; fi
}
