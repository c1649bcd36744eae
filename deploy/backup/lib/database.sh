# shellcheck shell=bash
# The database that is backed up, as the role `backup`, and what a database contains.

# as_backup PROGRAM…: with the password in the environment of that one process.
as_backup() (
  [[ -r /run/secrets/postgres_backup_password ]] ||
    fail "$MISCONFIGURED" 'the secret postgres_backup_password cannot be read'
  PGPASSWORD=$(</run/secrets/postgres_backup_password)
  export PGPASSWORD PGUSER=backup PGAPPNAME='eyrie backup' PGCONNECT_TIMEOUT=10
  exec "$@"
)

# ask SQL [DATABASE]: one value from the live database.
ask() { as_backup psql -XqAt --set ON_ERROR_STOP=1 --dbname "${2:-postgres}" --command "$1"; }

# content_sql: a script for psql that prints one line of JSON: the version, the schema's migrations and, for each table, how
# many rows it has and a checksum of them, which does not depend on their order. The same settings everywhere, so that equal
# rows have equal text.
content_sql() {
  cat <<'SQL'
SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET timezone = 'UTC'; SET extra_float_digits = 1;
SET bytea_output = 'hex'; SET xmloption = 'content'; SET search_path = pg_catalog;
SELECT coalesce(string_agg(format(
    'SELECT %L, count(*), coalesce(sum((''x'' || left(md5(ROW(rows.*)::text), 16))::bit(64)::bigint::numeric), 0) FROM ONLY %I.%I rows',
    nspname || '.' || relname, nspname, relname), ' UNION ALL '), 'SELECT NULL, 0, 0 WHERE false') AS tables
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relkind = 'r' AND relpersistence <> 't' AND nspname <> 'information_schema' AND nspname !~ '^pg_' \gset
SELECT CASE WHEN to_regclass('public.migrations') IS NULL THEN 'SELECT NULL::text, 0 WHERE false'
  ELSE 'SELECT name::text, id FROM public.migrations' END AS migrations \gset
SELECT json_build_object('database', current_database(), 'postgres', current_setting('server_version'),
  'migrations', (SELECT coalesce(json_agg(name ORDER BY id), '[]') FROM (:migrations) known (name, id)),
  'tables', (SELECT coalesce(json_object_agg(name, json_build_object('rows', n, 'checksum', checksum::text)), '{}')
    FROM (:tables) content (name, n, checksum)));
SQL
}
