# shellcheck shell=bash
# What `restore` does on the host: who is stopped and started around it, and which container does the work.

# The services that write to the database.
readonly WRITERS=(api-blue api-green worker migrate)

# containers: how the backup containers of their own are run, as commands that a service and a verb are added to. SUPERUSER
# has the superuser's password, which the service that always runs does not have; FILES may change the data directory of the
# database, which must be stopped.
containers() {
  ONCE=(compose --progress quiet run --rm --no-deps -T)
  SUPERUSER=("${ONCE[@]}" --volume "$ENV_DIR/secrets/postgres_password:/run/secrets/postgres_password:ro")
  FILES=("${ONCE[@]}" --volume "${PROJECT}_postgres:/postgres" backup)
}
readonly DATA=/postgres/18/docker

# source_arguments: sets FROM, what the container is told to read, and MOUNT, how it gets there. Which dump is the latest is
# settled here: a safety dump will be newer.
source_arguments() {
  if [[ $SOURCE == latest && $DRY_RUN != true ]]; then
    SOURCE=$("${ONCE[@]}" backup newest) || fail "$FAILED" 'there is no dump to restore'
  fi
  FROM=$SOURCE MOUNT=()
  [[ $SOURCE == */* ]] || return 0
  [[ $DRY_RUN == true || -f $SOURCE ]] || fail "$WRONG_USAGE" "there is no file $SOURCE"
  MOUNT=(--volume "$(realpath -m "$(dirname "$SOURCE")"):/incoming:ro")
  FROM=/incoming/$(basename "$SOURCE")
}

# moment TIME: sets TIME, as pgBackRest and PostgreSQL take it; empty for the end of the archive.
TIME=''
moment() {
  [[ $1 != latest ]] || return 0
  TIME=$(date -u -d "$1" '+%Y-%m-%d %H:%M:%S.%6N+00' 2>/dev/null) ||
    fail "$WRONG_USAGE" "'$1' is no time; wanted: one such as '2026-11-14 09:41:07 UTC'"
  (($(date -u -d "$TIME" +%s) <= $(date +%s))) || fail "$WRONG_USAGE" "$1 is in the future"
}

# restore_beside DATABASE
restore_beside() {
  source_arguments
  say "restore $SOURCE into the database $1"
  run "${SUPERUSER[@]}" "${MOUNT[@]}" backup restore "$FROM" --into "$1" || fail "$?" 'nothing was restored'
}

restore_in_place() {
  source_arguments
  # What cannot be restored is refused before anything stops.
  say "verify $SOURCE"
  run "${SUPERUSER[@]}" "${MOUNT[@]}" backup verify "$FROM" || fail "$?" 'nothing was changed'
  confirm "Replace the live database of $ENV_NAME by $SOURCE? The apps stop meanwhile."
  stop_writers
  safety_dump
  say "restore $SOURCE in the place of the live database"
  run "${SUPERUSER[@]}" "${MOUNT[@]}" backup restore "$FROM" --overwrite || fail "$?" 'the live database is as it was'
  start_writers
  note 'the old database is kept until you drop it: restore --drop NAME'
}

# recover_beside NAME: a container and a volume of its own, until --drop.
recover_beside() {
  local name
  [[ $1 =~ ^[a-z0-9][a-z0-9-]{0,30}$ ]] || fail "$WRONG_USAGE" "'$1' cannot be the name: small letters, digits and - only"
  name=$PROJECT-restore-$1
  if [[ $DRY_RUN != true ]] && docker inspect "$name" >/dev/null 2>&1; then
    fail "$WRONG_USAGE" "refused: there is $name already; restore --drop $1 removes it"
  fi
  # What was committed a moment ago may not be archived yet.
  if [[ $DRY_RUN == true || $(containers_of postgres) && $(containers_of backup) ]]; then
    run compose exec -T backup backup flush || warn 'the archive is not complete: the last minute may be missing'
  fi
  say "recover the server as of ${TIME:-the end of the archive} in $name"
  silent compose --progress quiet run --detach --no-deps --name "$name" --volume "$name:/restore" backup serve \
    /restore/data ${TIME:+"$TIME"} || fail "$FAILED" 'the container does not start'
  if [[ $DRY_RUN != true ]]; then
    await_server "$name" docker exec "$name" backup ready /restore/data || {
      docker rm --force --volumes "$name" >/dev/null
      docker volume rm "$name" >/dev/null
      fail "$FAILED" "$FAULT"
    }
  fi
  note "look at it:  docker exec -it $name psql -h /tmp -U postgres eyrie"
  note "remove it:   restore --drop $1"
}

recover_in_place() {
  if [[ $TIME ]]; then
    say 'look for a base backup'
    run "${ONCE[@]}" backup reachable "$TIME" || fail "$?" 'nothing was changed'
  fi
  confirm "Take the live database server of $ENV_NAME back to ${TIME:-the end of the archive}? The apps stop meanwhile."
  stop_writers
  if [[ $DRY_RUN == true || $(containers_of postgres) ]]; then
    safety_dump
    say 'the archive, up to now'
    run compose exec -T backup backup flush || fail "$FAILED" 'the archive is not complete; nothing was changed'
  else
    warn 'PostgreSQL does not run: no safety dump; its data directory is kept'
  fi
  say 'stop PostgreSQL, and recover beside its data directory'
  run compose --progress quiet stop backup postgres
  on_exit "if ((STATUS != 0)); then compose --progress quiet start postgres backup; fi"
  run "${FILES[@]}" recover "$DATA" "$TIME" --aside || fail "$?" 'the data directory is as it was'
  say 'start PostgreSQL, which goes on from there'
  if ! run compose --progress quiet start postgres || ! { [[ $DRY_RUN == true ]] || await_promotion; }; then
    warn "${FAULT:-PostgreSQL does not start}; going back"
    compose --progress quiet stop postgres
    "${FILES[@]}" undo "$DATA"
    fail "$FAILED" "${FAULT:-PostgreSQL does not start}; the old data directory is back in its place"
  fi
  say 'a base backup, with which the new history begins'
  run compose --progress quiet start backup
  run compose exec -T backup backup base full || warn 'the base backup failed: the backup service tries again'
  start_writers
  note 'the old data directory is kept until you drop it: restore --drop before-…'
}

# safety_dump: of what is about to be replaced.
safety_dump() {
  if [[ ${OPT[skip-safety-dump]:-} ]]; then
    note 'no safety dump, as asked'
    return
  fi
  say 'safety dump'
  run compose exec -T backup backup dump --keep-all ||
    fail "$FAILED" 'the safety dump failed; nothing was changed. What is replaced is kept in any case: --skip-safety-dump goes on'
}

# drop NAME: what was restored beside (a container, or a database that restore has renamed), or an old data directory.
drop() {
  local name
  name=$PROJECT-restore-$1
  case $1 in
    eyrie_before_*)
      [[ $1 =~ ^eyrie_before_[0-9]{8}t[0-9]{6}$ ]] || fail "$WRONG_USAGE" "restore has made no $1"
      confirm "Drop the database $1 for ever?"
      run compose exec -T postgres psql-admin --quiet --set ON_ERROR_STOP=1 --command "DROP DATABASE \"$1\"" ||
        fail "$FAILED" "$1 is still there"
      ;;
    before-*)
      confirm "Remove the data directory $1 for ever?"
      run "${FILES[@]}" forget "$DATA" "$1" || fail "$?" "nothing was removed"
      ;;
    *)
      [[ $DRY_RUN == true ]] || docker inspect "$name" >/dev/null 2>&1 || fail "$WRONG_USAGE" "there is no $name"
      confirm "Remove $name with its data for ever?"
      silent docker rm --force --volumes "$name"
      silent docker volume rm "$name"
      ;;
  esac
  audit restore_dropped "name=$1"
}

# containers_of SERVICE…: the names of their running containers.
containers_of() {
  local service
  for service in "$@"; do
    docker ps --format '{{.Names}}' --filter "label=com.docker.compose.project=$PROJECT" \
      --filter "label=com.docker.compose.service=$service" --filter label=com.docker.compose.oneoff=False
  done
}

# silent CMD…: without what it writes.
silent() { if [[ $DRY_RUN == true ]]; then run "$@"; else run "$@" >/dev/null; fi; }

# stop_writers: those that run, and those that a restore which was killed has left stopped. They start again at the end,
# whatever it is.
STOPPED=()
stop_writers() {
  say 'stop the apps'
  if [[ $DRY_RUN == true ]]; then
    STOPPED=("${WRITERS[@]}")
    run compose stop "${WRITERS[@]}"
    return
  fi
  mapfile -t STOPPED < <({ containers_of "${WRITERS[@]}" && left_stopped; } | sort -u)
  ((${#STOPPED[@]} > 0)) || return 0
  printf '%s\n' "${STOPPED[@]}" >"$STATE_DIR/stopped"
  on_exit restart_writers
  silent docker stop "${STOPPED[@]}" || fail "$FAILED" 'the apps do not stop; nothing was changed'
}

start_writers() {
  say 'start the apps'
  if [[ $DRY_RUN == true ]]; then
    run compose start "${WRITERS[@]}"
  else
    restart_writers
  fi
}

restart_writers() {
  ((${#STOPPED[@]} > 0)) || return 0
  docker start "${STOPPED[@]}" >/dev/null || warn "these do not start: ${STOPPED[*]}"
  rm -f "$STATE_DIR/stopped"
  STOPPED=()
}

left_stopped() {
  local name
  [[ -f $STATE_DIR/stopped ]] || return 0
  while read -r name; do
    if docker inspect "$name" >/dev/null 2>&1; then printf '%s\n' "$name"; fi
  done <"$STATE_DIR/stopped"
}

# await_server CONTAINER PROBE…: until the probe succeeds, for an hour; at the end of the container, FAULT says why.
await_server() {
  local deadline=$(($(date +%s) + 3600))
  until "${@:2}" >/dev/null 2>&1; do
    check_lock
    if [[ $(docker inspect --format '{{.State.Running}}' "$1") != true ]]; then
      FAULT=$(docker logs --tail 60 "$1" 2>&1 | grep -E 'FATAL|PANIC|ERROR|error:' | tail -n 1 | sed 's/.*\(FATAL\|PANIC\|ERROR\|error\): *//' || true)
      FAULT=${FAULT:-"$1 has ended"}
      return 1
    fi
    (($(date +%s) < deadline)) || { FAULT="$1 does not answer within an hour" && return 1; }
    sleep 1
  done
}
FAULT=''

# await_promotion: until the live server has recovered and takes writes. It restarts for ever where it cannot: the second start
# is the sign.
await_promotion() {
  local name before
  name=$(containers_of postgres) || return
  before=$(docker inspect --format '{{.RestartCount}}' "$name")
  await_server "$name" promoted_or_restarted "$name" "$before" || return
  (($(docker inspect --format '{{.RestartCount}}' "$name") == before)) || {
    FAULT=$(docker logs --tail 200 "$name" 2>&1 | grep FATAL | grep -v 'not yet accepting\|starting up' | tail -n 1 | sed 's/.*FATAL: *//' || true)
    return 1
  }
}

promoted_or_restarted() {
  (($(docker inspect --format '{{.RestartCount}}' "$1") > $2)) ||
    [[ $(docker exec "$1" psql-admin -XqAt --command 'SELECT pg_is_in_recovery()') == f ]]
}
