# shellcheck shell=bash
# An environment is a directory with .env, app.env, secrets/, config/, certs/, and .state/, in which the scripts keep what
# they know. All environments share one compose file.

declare -a COMPOSE=()
declare -A DRY_ENV=()

# enter_environment NAME|DIRECTORY: sets ENV_NAME, ENV_DIR, STATE_DIR, COMPOSE, and PROJECT, the name of its compose project.
enter_environment() {
  case $1 in
    production | prod) ENV_NAME=production ENV_DIR=$ROOT/deploy/prod ;;
    */* | . | ..)
      ENV_DIR=$(cd "$1" 2>/dev/null && pwd) || fail "$MISCONFIGURED" "no directory $1"
      ENV_NAME=${ENV_DIR##*/}
      ;;
    *[!A-Za-z0-9_-]*) fail "$WRONG_USAGE" "'$1' names no environment" ;;
    *) ENV_NAME=$1 ENV_DIR=$ROOT/deploy/$1 ;;
  esac
  STATE_DIR=$ENV_DIR/.state
  COMPOSE=(
    docker compose --file "$ROOT/deploy/prod/compose.yaml" --env-file "$ENV_DIR/.env"
    --project-directory "$ROOT/deploy/prod"
  )
  PROJECT=$(env_get COMPOSE_PROJECT_NAME eyrie)
}

# require_environment: fails unless init-secrets has made it.
require_environment() {
  [[ -f $ENV_DIR/.env ]] ||
    fail "$MISCONFIGURED" "no $ENV_DIR/.env: deploy/scripts/init-secrets --env ${OPT[env]:-production} makes it"
  if [[ $DRY_RUN == true ]]; then
    printf '+ compose() { docker compose%s "$@"; }\n' "$(printf ' %q' "${COMPOSE[@]:2}")"
  else
    mkdir -p "$STATE_DIR"
  fi
}

# compose ARG…: docker compose with the environment's files. For a step, say `run compose …`.
compose() { "${COMPOSE[@]}" "$@"; }

# env_get KEY [DEFAULT]: the value in .env; the default where it is missing or empty.
env_get() {
  local line value=${DRY_ENV[$1]:-} assignment="^[[:space:]]*(export[[:space:]]+)?$1=(.*)\$"
  if [[ ! ${DRY_ENV[$1]+is-set} && -f $ENV_DIR/.env ]]; then
    while IFS= read -r line || [[ $line ]]; do
      if [[ $line =~ $assignment ]]; then value=${BASH_REMATCH[2]}; fi
    done <"$ENV_DIR/.env"
  fi
  case $value in
    \"*\"*) value=${value#\"} value=${value%%\"*} ;;
    \'*\'*) value=${value#\'} value=${value%%\'*} ;;
    *) value=${value%%[[:space:]]#*} value=${value%"${value##*[![:space:]]}"} ;;
  esac
  printf '%s\n' "${value:-${2:-}}"
}

# env_set KEY VALUE: replaces the line in .env, or adds it; comments and order stay. Readers see the old file or the new one.
env_set() {
  local key=$1 value=$2 file=$ENV_DIR/.env temporary
  [[ $value =~ ^[A-Za-z0-9_./:@%+,=-]*$ ]] || fail "$WRONG_USAGE" "'$value' cannot be the value of $key"
  [[ $(env_get "$key") == "$value" ]] && return
  if [[ $DRY_RUN == true ]]; then
    DRY_ENV[$key]=$value
    printf '+ env_set %s %s\n' "$key" "$value"
    return
  fi
  temporary=$(mktemp "$file.XXXXXX")
  awk -v key="$key" -v line="$key=$value" '
    $0 ~ "^[[:space:]]*(export[[:space:]]+)?" key "=" { if (!done++) print line; next }
    { print }
    END { if (!done) print line }' "$file" >"$temporary"
  chmod --reference="$file" "$temporary"
  sync "$temporary"
  mv -f "$temporary" "$file"
}
