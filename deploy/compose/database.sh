#!/bin/sh
# Gives the service a database of its own, and a role that owns it and may do nothing
# else. It runs at each start of docker-compose.yml and changes only what is not so,
# the password among it: a new POSTGRES_PASSWORD needs no more than another start.
set -eu

PGPASSWORD=$(cat /run/secrets/superuser_password)
export PGPASSWORD
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --host postgres --username postgres --dbname postgres <<'SQL'
\set password `cat /run/secrets/app_password`
SELECT 'CREATE ROLE driftsentry' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'driftsentry') \gexec
ALTER ROLE driftsentry LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
SELECT 'CREATE DATABASE driftsentry OWNER driftsentry' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'driftsentry') \gexec
REVOKE ALL ON DATABASE driftsentry FROM PUBLIC;
SQL
echo "The database driftsentry and its owner are there."
