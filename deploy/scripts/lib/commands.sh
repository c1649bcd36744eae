# shellcheck shell=bash disable=SC2034 # argv is the caller's
# Builders: each puts one command into the array argv and does nothing else. `perform` runs it, `ask` only looks.

service_of() { if [[ $1 == worker ]]; then echo worker; else echo "api-$1"; fi; }

# Containers. NAME is a container's name, SLOT is blue, green or worker.
cmd_scale() { argv=("${COMPOSE[@]}" --progress quiet up --detach --no-deps --no-recreate --scale "$(service_of "$1")=$2" "$(service_of "$1")"); }
cmd_stop() { argv=(docker stop "$@"); }
cmd_remove() { argv=(docker rm --force --volumes "$@"); }
cmd_list() {
  argv=(docker ps --all --format '{{.Names}}' --filter "label=com.docker.compose.project=$PROJECT"
    --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False)
}
cmd_inspect() { argv=(docker inspect --type container --format "$CONTAINER_FORMAT" "$@"); }
cmd_logs() { argv=(docker logs --tail "$1" "$2"); }
readonly CONTAINER_FORMAT='{{.Name}} {{.Image}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.RestartCount}} {{.Created}}'

# Programs inside of containers; what they read comes over standard input.
cmd_node() { argv=(docker exec --interactive "$1" node --input-type=module - "${@:2}"); }
cmd_traffic() { argv=("${COMPOSE[@]}" exec -T nginx traffic "$@"); }

# Services, and one-off containers of the candidate: outside of the service's name in DNS, so that no request reaches them.
cmd_start() { argv=("${COMPOSE[@]}" --progress quiet up --detach --no-deps --no-recreate --wait --wait-timeout 120 "$@"); }
cmd_once() { argv=(env "$1=$2" "${COMPOSE[@]}" --progress quiet run --no-deps -T "${@:3}"); }
cmd_migrate() { # IMAGE NAME SECONDS
  cmd_once EYRIE_IMAGE "$1" --rm --name "$2" migrate
  argv=(timeout --kill-after=30 "$3" "${argv[@]}")
}
cmd_validate() { argv=("${COMPOSE[@]}" config --quiet); }

# Images.
cmd_pull() { argv=(docker pull --quiet "$1"); }
cmd_tag() { argv=(docker tag "$1" "$2"); }
cmd_untag() { argv=(docker image rm "$@"); }
cmd_image() { argv=(docker image inspect --format "$2" "$1"); }
