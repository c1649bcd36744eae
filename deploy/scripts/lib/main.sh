# shellcheck shell=bash
# What every script begins with: strict mode, common flags, messages, the environment, the lock, the audit log.
#
#   source "$(dirname "${BASH_SOURCE[0]}")/lib/main.sh"
#   parse 'kind= keep=' "$@"     # own flags; `=` marks those with a value, found in OPT[kind]; the rest is in ARGS
#   require_environment
#   with_lock backup
#
# The flags --env, --dry-run, --yes and --help are common to all.

set -Eeuo pipefail
shopt -s inherit_errexit
umask 077
export LC_ALL=C

LIB=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
SCRIPTS=${LIB%/*}
ROOT=${SCRIPTS%/*/*}
VERB=${0##*/}
readonly LIB SCRIPTS ROOT VERB

# The .env of the environment decides, not what the caller's shell happens to export.
unset COMPOSE_FILE COMPOSE_PROJECT_NAME COMPOSE_PROFILES COMPOSE_ENV_FILES EYRIE_DIR EYRIE_IMAGE \
  BLUE_IMAGE GREEN_IMAGE WORKER_IMAGE BLUE_REPLICAS GREEN_REPLICAS WORKER_REPLICAS

# Exit statuses, as in sysexits.h where it has one.
readonly FAILED=1 WRONG_USAGE=2 LOCKED=75 MISCONFIGURED=78

declare -A OPT=()
declare -a ARGS=()
DRY_RUN=false

source "$LIB/messages.sh"
source "$LIB/run.sh"
source "$LIB/environment.sh"
source "$LIB/audit.sh"
source "$LIB/lock.sh"

# usage: prints the header comment of the script, which is its manual.
usage() { sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"; }

# parse 'NAME= NAME …' "$@": fills OPT and ARGS, and enters the environment.
parse() {
  local known=" ${1//$'\n'/ } env= dry-run yes help " name
  shift
  while (($# > 0)); do
    case $1 in
      -h) OPT[help]=true ;;
      --) ARGS+=("${@:2}") && break ;;
      --*=*)
        name=${1%%=*} name=${name#--}
        [[ $known == *" $name= "* ]] || fail "$WRONG_USAGE" "unknown option ${1%%=*}=; $VERB --help tells more"
        OPT[$name]=${1#*=}
        ;;
      --*)
        name=${1#--}
        if [[ $known == *" $name= "* ]]; then
          (($# > 1)) || fail "$WRONG_USAGE" "--$name needs a value"
          OPT[$name]=$2
          shift
        elif [[ $known == *" $name "* ]]; then
          OPT[$name]=true
        else
          fail "$WRONG_USAGE" "unknown option --$name; $VERB --help tells more"
        fi
        ;;
      -*) fail "$WRONG_USAGE" "unknown option $1; $VERB --help tells more" ;;
      *) ARGS+=("$1") ;;
    esac
    shift
  done
  if [[ ${OPT[help]:-} ]]; then
    usage
    exit 0
  fi
  DRY_RUN=${OPT['dry-run']:-false}
  enter_environment "${OPT[env]:-production}"
}

# seconds VARIABLE 90|90s|5m|1h: puts the same as a number of seconds into the variable.
seconds() {
  [[ $2 =~ ^([0-9]{1,7})([smh]?)$ ]] || fail "$WRONG_USAGE" "'$2' is not a duration such as 10s, 5m or 1h"
  case ${BASH_REMATCH[2]} in
    m) printf -v "$1" %s "$((10#${BASH_REMATCH[1]} * 60))" ;;
    h) printf -v "$1" %s "$((10#${BASH_REMATCH[1]} * 3600))" ;;
    *) printf -v "$1" %s "$((10#${BASH_REMATCH[1]}))" ;;
  esac
}

# whole NAME VALUE [LEAST] [MOST]: fails unless it is a whole number in that range.
whole() {
  local least=${3:-0} most=${4:-1000000}
  if ! [[ $2 =~ ^[0-9]{1,7}$ ]] || ((10#$2 < least || 10#$2 > most)); then
    fail "$WRONG_USAGE" "$1 must be a whole number from $least to $most, not '$2'"
  fi
}

now() { TZ=UTC printf '%(%Y-%m-%dT%H:%M:%SZ)T\n' -1; }
