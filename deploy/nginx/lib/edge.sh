# shellcheck shell=bash
# What the programs share that keep Nginx right while it runs.
# shellcheck disable=SC2016  # what stands in single quotes is Nginx's own

set -Eeuo pipefail

PROGRAM=$(basename "$0")
TEMPLATES=$(cd "$(dirname "${BASH_SOURCE[0]}")/../templates" && pwd)
CONFIGURATION=/tmp/nginx
# shellcheck disable=SC2034  # some are for the programs
readonly PROGRAM TEMPLATES CONFIGURATION

fail() {
  printf '%s: %s\n' "$PROGRAM" "${*:2}" >&2
  exit "$1"
}

# log LEVEL MESSAGE: a line between those of the access log.
log() {
  local message=${2//\\/\\\\}
  message=${message//\"/\\\"} message=${message//$'\n'/; } message=${message//[$'\001'-$'\037']/ }
  printf '{"timestamp":"%(%Y-%m-%dT%H:%M:%S%z)T","level":"%s","service":"nginx","logger":"%s","message":"%s"}\n' \
    -1 "$1" "$PROGRAM" "$message"
}

# one_at_a_time: changes of the configuration wait for each other.
one_at_a_time() {
  exec 9>/tmp/nginx.lock
  flock --wait 60 9 || fail 1 'another change of the configuration is under way'
}

# can_be_served: whether Nginx would take its configuration; if not, says why.
can_be_served() {
  local output
  output=$(nginx -t -q 2>&1) && return
  # Depending on how it was built it says so once or twice, with or without time and process.
  sed -E 's/^.*\[(emerg|alert|crit)\] ([0-9#]+: )?//; /^nginx: configuration file .* test failed$/d' <<<"$output" | sort -u >&2
  return 1
}

# workers_that_accept: the pids of the workers that take new connections.
workers_that_accept() {
  local file command
  for file in /proc/[0-9]*/cmdline; do
    command=$(tr '\0' ' ' 2>/dev/null <"$file") || continue
    if [[ $command == 'nginx: worker process'* && $command != *'shutting down'* ]]; then
      file=${file#/proc/}
      printf '%s\n' "${file%/cmdline}"
    fi
  done
}

# activate: lets Nginx read its configuration again, and returns when no connection is taken under the old one any more.
# Those that there were may bring one more request to it; WebSockets stay where they are. Fails, and changes nothing, if the
# configuration is faulty.
activate() {
  local old deadline
  can_be_served || return 1
  old=$(workers_that_accept)
  kill -HUP "$(</tmp/nginx.pid)"
  deadline=$((SECONDS + 15))
  while [[ $(comm -12 <(sort <<<"$old") <(workers_that_accept | sort)) ]]; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}
