#!/bin/bash
# Runs PostgreSQL with the variables, folders and order of events of the image that everybody knows:
# POSTGRES_USER, _PASSWORD, _DB, _INITDB_ARGS, _INITDB_WALDIR, _HOST_AUTH_METHOD (the first three and _INITDB_ARGS also as
# NAME_FILE), PGDATA, /docker-entrypoint-initdb.d; scripts run once, on a fresh folder, before anybody can connect by TCP.
set -Eeo pipefail

fail() { printf '%s\n' "error: $1" "${@:2}" >&2; exit 1; }

# NAME's value, or the contents of the file that NAME_FILE names, or the default.
load_setting() {
  local name=$1 file_name="${1}_FILE" value=${2:-}
  if [ -n "${!name:-}" ] && [ -n "${!file_name:-}" ]; then
    fail "$name and $file_name are both set, and exclude each other"
  elif [ -n "${!name:-}" ]; then
    value=${!name}
  elif [ -n "${!file_name:-}" ]; then
    value=$(< "${!file_name}")
  fi
  export "$name=$value"
  unset "$file_name"
}

load_settings() {
  load_setting POSTGRES_PASSWORD
  load_setting POSTGRES_USER postgres
  load_setting POSTGRES_DB "$POSTGRES_USER"
  load_setting POSTGRES_INITDB_ARGS
  : "${POSTGRES_HOST_AUTH_METHOD:=}"
}

prepare_folders() {
  mkdir -p "$PGDATA" /var/run/postgresql
  chmod 00700 "$PGDATA" || true
  [ "$(id -u)" = 0 ] || return 0
  find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
  find /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
  if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then
    install -d -o postgres -m 700 "$POSTGRES_INITDB_WALDIR"
  fi
}

demand_password() {
  [ -n "$POSTGRES_PASSWORD" ] || [ "$POSTGRES_HOST_AUTH_METHOD" = trust ] || fail \
    "the database is not initialised and no superuser password is given" \
    "hint: set POSTGRES_PASSWORD to a non-empty value, or POSTGRES_HOST_AUTH_METHOD=trust to let everybody in"
}

create_cluster() {
  local waldir=()
  [ -z "${POSTGRES_INITDB_WALDIR:-}" ] || waldir=(--waldir "$POSTGRES_INITDB_WALDIR")
  # The words of POSTGRES_INITDB_ARGS may be quoted, hence eval.
  eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") "${waldir[@]}" '"$POSTGRES_INITDB_ARGS"' "$@"'
}

allow_hosts() {
  local method=$POSTGRES_HOST_AUTH_METHOD
  [ -n "$method" ] || method=$(postgres -C password_encryption "${@:2}")
  printf '\nhost all all all %s\n' "$method" >> "$PGDATA/pg_hba.conf"
}

query() {
  psql --no-psqlrc -v ON_ERROR_STOP=1 --no-password --username "$POSTGRES_USER" "$@"
}

create_database() {
  [ "$POSTGRES_DB" != postgres ] || return 0
  query --dbname postgres -tAc "SELECT 1 FROM pg_database WHERE datname = '$POSTGRES_DB'" | grep -q 1 ||
    query --dbname postgres --set db="$POSTGRES_DB" <<< 'CREATE DATABASE :"db";'
}

run_scripts() {
  local file
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
      *.sh)
        printf '%s: running %s\n' "$0" "$file"
        # shellcheck source=/dev/null
        if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) printf '%s: running %s\n' "$0" "$file"; query --dbname "$POSTGRES_DB" -f "$file" ;;
      *.sql.gz) printf '%s: running %s\n' "$0" "$file"; gunzip -c "$file" | query --dbname "$POSTGRES_DB" ;;
      *.sql.xz) printf '%s: running %s\n' "$0" "$file"; xz -dc "$file" | query --dbname "$POSTGRES_DB" ;;
      */\*) ;;
      *) printf '%s: ignoring %s\n' "$0" "$file" ;;
    esac
  done
}

# Scripts work on a server that listens on its socket only: nobody outside sees a database half seeded.
initialise() {
  demand_password
  create_cluster
  allow_hosts "$@"
  pg_ctl -D "$PGDATA" -w start -o "$(printf '%q ' "${@:2}" -c listen_addresses= -p "${PGPORT:-5432}")"
  create_database
  PGUSER=$POSTGRES_USER PGDATABASE=$POSTGRES_DB run_scripts
  pg_ctl -D "$PGDATA" -m fast -w stop
  printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

main() {
  [ "${1#-}" = "$1" ] || set -- postgres "$@"
  [ "$1" = postgres ] || exec "$@"
  case " $* " in *" --help "* | *" --version "* | *" -V "* | *" -C "*) exec "$@" ;; esac
  load_settings
  prepare_folders
  if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid=postgres --regid=postgres --init-groups -- "${BASH_SOURCE[0]}" "$@"
  fi
  if [ -s "$PGDATA/PG_VERSION" ]; then
    printf '\nPostgreSQL Database directory appears to contain a database; skipping initialization.\n\n'
  else
    initialise "$@"
  fi
  unset POSTGRES_PASSWORD
  exec "$@"
}

main "$@"
