#!/bin/sh
# Folio's role and database, made when PostgreSQL's container starts for the first time: a role that may do nothing else.
set -eu
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=password="$FOLIO_PASSWORD" --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
CREATE ROLE folio LOGIN PASSWORD :'password';
CREATE DATABASE folio OWNER folio;
SQL
