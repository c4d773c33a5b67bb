#!/usr/bin/env bash
# Compiles the queries against a database with the schema, and writes down what it says of them into .sqlx, from which they
# are compiled elsewhere. With --check it says whether that is what .sqlx holds already. As `cargo sqlx prepare`, which would
# have to be installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
[ -n "${DATABASE_URL:-}" ] || exec sh tests/postgres/support/server.sh ./prepare.sh "$@"

database=lease_prepare_$$
fresh=$(mktemp -d "${TMPDIR:-/tmp}/lease-prepare.XXXXXX")
run_sql() { psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname="$@"; }
trap 'rm -rf "$fresh"; run_sql "$DATABASE_URL" --command="drop database if exists $database"' EXIT

run_sql "$DATABASE_URL" --command="create database $database"
query=${DATABASE_URL#"${DATABASE_URL%%\?*}"}
address=${DATABASE_URL%"$query"}
url=${address%/*}/$database$query
for migration in migrations/*.sql; do
    run_sql "$url" --single-transaction --file="$migration"
done
DATABASE_URL=$url SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$fresh cargo check --quiet --workspace --all-features --lib

if [ "${1:-}" = --check ]; then
    diff --recursive --brief .sqlx "$fresh" || { echo "The offline data of the queries is stale: make prepare"; exit 1; }
else
    rm -f .sqlx/*.json
    cp "$fresh"/*.json .sqlx
fi
