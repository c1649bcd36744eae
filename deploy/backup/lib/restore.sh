# shellcheck shell=bash
# Restores. A dump becomes a new database; only --overwrite gives it the live one's name, and the old one stays under another.
# The superuser's password is there only in the container that deploy/scripts/restore starts for it.

as_admin() (
  [[ -r /run/secrets/postgres_password ]] || fail "$MISCONFIGURED" 'only deploy/scripts/restore can do this: it brings the secret postgres_password'
  PGPASSWORD=$(</run/secrets/postgres_password)
  export PGPASSWORD PGUSER=postgres PGAPPNAME='eyrie restore' PGCONNECT_TIMEOUT=10
  exec "$@"
)

admin_sql() { as_admin psql -XqAt --set ON_ERROR_STOP=1 --dbname postgres "$@"; }

# restore NAME|FILE|latest --into DATABASE | --overwrite
restore() {
  local file manifest target exists aside=''
  (($# >= 2)) || fail "$WRONG_USAGE" 'restore NAME|latest --into DATABASE | --overwrite'
  file=$(resolve "$1")
  manifest=${file%.dump.age}.json
  BEGUN=$EPOCHREALTIME
  case $2 in
    --into) target=${3:?into which database?} ;;
    --overwrite)
      aside=${BACKUP_DATABASE}_before_$(date -u +%Y%m%dt%H%M%S)
      target=${BACKUP_DATABASE}_restored_$$_${aside##*_}
      ;;
    *) fail "$WRONG_USAGE" "'$2' is neither --into nor --overwrite" ;;
  esac
  [[ $target =~ ^[a-z_][a-z0-9_]{0,62}$ ]] ||
    fail "$WRONG_USAGE" "'$target' cannot be the name: small letters, digits and _ only"
  verify "$file"
  exists=$(database_exists "$target")
  [[ $exists == f ]] ||
    fail "$REFUSED" "refused: there is a database $target already; --overwrite replaces the live one, and nothing else is ever overwritten"
  load "$file" "$manifest" "$target"
  if [[ $aside ]]; then exchange "$target" "$aside"; fi
  LOADED=1
  if [[ $aside ]]; then target="the live database; the old one is kept as $aside"; fi
  log "restored $(basename "$file" .dump.age) in $(elapsed "$BEGUN") s into $target"
}

database_exists() {
  admin_sql --set name="$1" <<<"SELECT EXISTS (SELECT FROM pg_database WHERE datname = :'name')"
}

# load FILE MANIFEST DATABASE: makes the database, fills it and compares it with the manifest; else nothing of it remains.
load() {
  local file=$1 manifest=$2 target=$3
  admin_sql --set name="$target" <<<'CREATE DATABASE :"name" OWNER eyrie TEMPLATE template0'
  on_exit "discard '$target'"
  decrypt "$file" | as_admin pg_restore --exit-on-error --no-owner --role eyrie --dbname "$target" ||
    fail "$FAILED" "$(basename "$file") could not be restored; what was written of it is removed"
  compare "$manifest" "$(content_sql | as_admin psql -XqAt --set ON_ERROR_STOP=1 --dbname "$target")"
  admin_sql --set name="$target" <<<'REVOKE CONNECT, TEMPORARY ON DATABASE :"name" FROM PUBLIC;
    GRANT CONNECT ON DATABASE :"name" TO monitor, backup;'
  as_admin vacuumdb --quiet --analyze-only --dbname "$target"
}
LOADED=0

discard() { ((LOADED == 1)) || admin_sql --set name="$1" <<<'DROP DATABASE IF EXISTS :"name" WITH (FORCE)'; }

# exchange NEW ASIDE: the live database becomes ASIDE and NEW the live one, in one transaction.
exchange() {
  on_exit "((LOADED == 1)) || admin_sql --set live='$BACKUP_DATABASE' <<<'ALTER DATABASE :\"live\" CONNECTION LIMIT -1'"
  admin_sql --set live="$BACKUP_DATABASE" --set new="$1" --set aside="$2" >/dev/null <<'SQL'
ALTER DATABASE :"live" CONNECTION LIMIT 0;
-- First who it is, and only then the end: in one WHERE the planner may try the function on everybody.
WITH sessions AS MATERIALIZED (SELECT pid FROM pg_stat_activity WHERE datname = :'live')
  SELECT pg_terminate_backend(pid, 10000) FROM sessions;
BEGIN;
ALTER DATABASE :"live" RENAME TO :"aside";
ALTER DATABASE :"new" RENAME TO :"live";
COMMIT;
ALTER DATABASE :"aside" CONNECTION LIMIT -1;
SQL
}

# compare MANIFEST CONTENT: fails unless every table has the rows that the manifest tells, and no table is missing or new.
compare() {
  local differences
  differences=$(jq -r --slurpfile content <(printf '%s' "$2") '$content[0] as $found | .tables as $wanted | ($wanted + $found.tables | keys[]) as $table
    | select($wanted[$table] != $found.tables[$table])
    | "\($table): \($wanted[$table].rows // "no table") rows wanted, \($found.tables[$table].rows // "no table") found\(
      if $wanted[$table].rows == $found.tables[$table].rows then ", with other content" else "" end)"' "$1")
  [[ ! $differences ]] || fail "$REFUSED" "what was restored differs from its manifest: ${differences//$'\n'/; }"
}
