#!/bin/bash
# The database and its roles, made when the server is new: the owner for migrations,
# and two that are subject to row-level security. The migrations find the roles there.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -v owner="$OWNER_PASSWORD" -v app="$APP_PASSWORD" -v worker="$WORKER_PASSWORD" \
  --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
CREATE ROLE foresight LOGIN NOSUPERUSER NOCREATEDB CREATEROLE NOBYPASSRLS PASSWORD :'owner';
CREATE ROLE foresight_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'app';
CREATE ROLE foresight_worker LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'worker';
CREATE DATABASE foresight OWNER foresight;
REVOKE ALL ON DATABASE foresight FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE foresight TO foresight_app, foresight_worker;
SQL
