# Runs a throw-away Postgres until standard input ends: however the tests end, nothing of it stays behind. On the line
# "crash" it stops at once, with whatever is under way, and starts again.
set -eu
trap '' INT
PATH="$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)"
for binary in initdb pg_ctl postgres; do
    command -v "$binary" >/dev/null || { echo "missing $binary"; exit 1; }
done
directory=$(mktemp -d "${TMPDIR:-/tmp}/lease-postgres.XXXXXX")
trap 'pg_ctl -D "$directory/data" -m immediate stop >/dev/null 2>&1; rm -rf "$directory"' EXIT
cd "$directory"
initdb -D data -U postgres -A trust -E UTF8 --no-sync --no-locale >initdb.log 2>&1 || { tail -n 5 initdb.log; exit 1; }
cat >>data/postgresql.conf <<SETTINGS
listen_addresses = ''
unix_socket_directories = '$directory'
max_connections = 400
fsync = off
full_page_writes = off
autovacuum = off
SETTINGS
start() {
    pg_ctl -D data -l server.log -w start >start.log 2>&1 </dev/null || { tail -n 5 server.log start.log; exit 1; }
    echo "ready $directory"
}
start
while read -r order; do
    [ "$order" = crash ] || continue
    pg_ctl -D data -m immediate stop >/dev/null 2>&1
    start
done
