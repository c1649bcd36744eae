# shellcheck shell=bash
# A throw-away PostgreSQL server of one's own: nobody else can reach it, and nothing of it is kept.

# start_scratch DIRECTORY: on the data directory DIRECTORY/data, made if there is none; the socket is in DIRECTORY.
start_scratch() {
  local directory=$1
  if [[ ! -s $directory/data/PG_VERSION ]]; then
    initdb --pgdata "$directory/data" --username postgres --auth trust --no-sync >"$directory/initdb.log" ||
      fail "$FAILED" "no throw-away server: $(tail -n 1 "$directory/initdb.log")"
  else
    # The passwords of the live database are not known here, and nobody but this user can reach the socket.
    echo 'local all all trust' >"$directory/data/pg_hba.conf"
  fi
  on_exit "pg_ctl --pgdata '$directory/data' --mode immediate stop >/dev/null 2>&1"
  # archive_mode off: a copy must never write into the repository of the original.
  pg_ctl --pgdata "$directory/data" --wait --timeout 3600 --log "$directory/server.log" start >/dev/null \
    --options "-c listen_addresses='' -c unix_socket_directories='$directory' -c archive_mode=off -c fsync=off \
      -c full_page_writes=off -c hot_standby=off -c shared_buffers=64MB -c max_wal_size=2GB -c max_connections=200" ||
    scratch_failed "$directory"
  # pg_ctl is content when recovery has begun.
  until ready "$directory/data"; do
    pg_ctl --pgdata "$directory/data" status >/dev/null || scratch_failed "$directory"
    sleep 0.2
  done
}

# ready DIRECTORY: whether the server on it has recovered and takes writes. It says so itself; asking it would fill its log.
ready() { [[ $(sed -n 8p "$1/postmaster.pid" 2>/dev/null) == ready* ]]; }

scratch_failed() {
  fail "$FAILED" "the throw-away server does not start: $(grep -E 'FATAL|PANIC' "$1/server.log" | tail -n 1)"
}

# in_scratch DIRECTORY PROGRAM…: with that server as the one to talk to.
in_scratch() { PGHOST=$1 PGUSER=postgres "${@:2}"; }
