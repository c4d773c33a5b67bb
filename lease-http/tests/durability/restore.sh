# Runs a throw-away Postgres that archives its log, until standard input ends. Nothing of it is left behind. On the line "backup" it
# makes a base backup; on "restore NAME" it stops, restores the backup up to the restore point of that name, and goes on from there.
set -eu
trap '' INT
trap 'exit 1' HUP TERM
PATH="$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)"
for binary in initdb pg_ctl postgres pg_basebackup psql; do
    command -v "$binary" >/dev/null || { echo "missing $binary"; exit 1; }
done
# Postgres refuses to run as root, so it then runs as the user that its packages create.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}
cd /
directory=$(as_postgres mktemp -d "${TMPDIR:-/tmp}/lease-restore.XXXXXX")
data=$directory/data
log=$directory/log
trap 'as_postgres pg_ctl -D "$data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$directory"' EXIT
fail() {
    tail -n 5 "$log" "$log.server"
    exit 1
}
run() {
    as_postgres "$@" >>"$log" 2>&1 </dev/null || fail
}
query() {
    as_postgres psql -h "$directory" -U postgres -qAtc "$1" postgres
}
run mkdir "$directory/archive"
run initdb -D "$data" -U postgres -A trust -E UTF8 --no-sync --no-locale
cat >>"$data/postgresql.conf" <<SETTINGS
listen_addresses = ''
unix_socket_directories = '$directory'
fsync = off
archive_mode = on
archive_command = 'test ! -f $directory/archive/%f && cp %p $directory/archive/%f'
restore_command = 'cp $directory/archive/%f %p'
SETTINGS
run pg_ctl -D "$data" -l "$log.server" -w start
echo "ready $directory"
while read -r order name; do
    case $order in
    backup)
        run pg_basebackup -h "$directory" -U postgres -D "$directory/backup" -c fast -X none
        ;;
    restore)
        # A stop in good order archives the rest of the log.
        run pg_ctl -D "$data" -m fast -w stop
        run rm -rf "$data"
        run mv "$directory/backup" "$data"
        cat >>"$data/postgresql.conf" <<SETTINGS
recovery_target_name = '$name'
recovery_target_action = promote
SETTINGS
        run touch "$data/recovery.signal"
        run pg_ctl -D "$data" -l "$log.server" -w start
        until [ "$(query 'select pg_is_in_recovery()')" = f ]; do sleep 0.05; done
        ;;
    esac
    echo "ready $directory"
done
