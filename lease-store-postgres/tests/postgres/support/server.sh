# Runs a throw-away Postgres until standard input ends, or until the command given as arguments ends. In either case nothing of it
# is left behind. On the line "crash" it stops at once, whatever is under way, and starts again.
set -eu
trap '' INT
trap 'exit 1' HUP TERM
PATH="$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)"
for binary in initdb pg_ctl postgres; do
    command -v "$binary" >/dev/null || { echo "missing $binary"; exit 1; }
done
# Postgres refuses to run as root, so it then runs as the user that its packages create.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}
# A directory that every user may enter.
caller=$PWD
cd /
# In TMPDIR, or else in memory if there is room: a database consists of hundreds of small files, and each test creates one.
room() { df -Pk "$1" 2>/dev/null | awk 'END { print $4 + 0 }'; }
place=${TMPDIR:-/tmp}
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && [ "$(room /dev/shm)" -gt 4000000 ]; then place=/dev/shm; fi
directory=$(as_postgres mktemp -d "$place/lease-postgres.XXXXXX")
data=$directory/data
log=$directory/log
stop() {
    as_postgres pg_ctl -D "$data" -m immediate stop >/dev/null 2>&1
}
start() {
    as_postgres pg_ctl -D "$data" -l "$log" -w start >>"$log.start" 2>&1 </dev/null || { tail -n 5 "$log" "$log.start"; exit 1; }
}
trap 'stop || true; rm -rf "$directory"' EXIT
as_postgres initdb -D "$data" -U postgres -A trust -E UTF8 --no-sync --no-locale >"$log" 2>&1 || { tail -n 5 "$log"; exit 1; }
cat >>"$data/postgresql.conf" <<SETTINGS
listen_addresses = ''
unix_socket_directories = '$directory'
max_connections = 400
fsync = off
full_page_writes = off
autovacuum = off
max_wal_size = 256MB
SETTINGS
rm "$log"
start
if [ $# -gt 0 ]; then
    cd "$caller"
    DATABASE_URL="postgres://postgres@localhost/postgres?host=$directory" "$@"
    exit
fi
echo "ready $directory"
while read -r order; do
    [ "$order" = crash ] || continue
    stop
    start
    echo "ready $directory"
done
