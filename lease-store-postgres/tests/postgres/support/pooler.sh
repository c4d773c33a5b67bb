# Runs a PgBouncer in transaction mode in front of the Postgres at the given socket and port, as the given user, until standard
# input ends. Further arguments are settings of it. It keeps four connections to Postgres for each database, so that its clients
# share them. Nothing of it is left behind.
set -eu
trap '' INT
trap 'exit 1' HUP TERM
PATH="$PATH:/usr/sbin"
command -v pgbouncer >/dev/null || { echo "missing pgbouncer"; exit 1; }
host=$1
port=$2
user=$3
shift 3
# PgBouncer refuses to run as root, so it then runs as the user that the packages of Postgres create.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}
cd /
directory=$(as_postgres mktemp -d "${TMPDIR:-/tmp}/lease-pooler.XXXXXX")
chmod 755 "$directory"
trap 'rm -rf "$directory"' EXIT
{
    cat <<SETTINGS
[databases]
* = host=$host port=$port user=$user
[pgbouncer]
pool_mode = transaction
default_pool_size = 4
max_client_conn = 1000
listen_port = 6432
unix_socket_dir = $directory
auth_type = any
pidfile = $directory/pid
SETTINGS
    for setting in "$@"; do echo "$setting"; done
} >"$directory/settings"
as_postgres pgbouncer --quiet "$directory/settings" >"$directory/log" 2>&1 &
pooler=$!
# Its own process id: it may be the child of the program that changes the user.
trap 'kill "$(cat "$directory/pid" 2>/dev/null)" 2>/dev/null && wait "$pooler" || true; rm -rf "$directory"' EXIT
until [ -S "$directory/.s.PGSQL.6432" ] && [ -s "$directory/pid" ]; do
    kill -0 "$pooler" 2>/dev/null || { cat "$directory/log"; exit 1; }
    sleep 0.01
done
echo "ready $directory"
while read -r _; do :; done
