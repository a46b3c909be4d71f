# Functions of backups, behind those of postgres.sh. Before them stand, besides what those want: home (repository, locks,
# since, verified) settings (pgBackRest's file) archive (the server's file) run scratch primary
# window_begin (minutes after midnight, UTC).

rest() {
    as "$user" env -i PATH="$PATH" TZ=UTC pgbackrest --config="$settings" --stanza=main --log-level-console=error --log-level-stderr=off "$@" 2>&1
}
fetch() { printf 'pgbackrest --config=%s --pg1-path=%s --stanza=main archive-get %%f "%%p"' "$settings" "$1"; }
labels() { ls "$home/repository/backup/main" 2>/dev/null | grep -E '^[0-9]{8}-[0-9]{6}F(_[0-9]{8}-[0-9]{6}[DI])?$' || true; }
# Said by the server itself: one that ends while it is asked has said nothing.
recovered() { [ "$(sql -d postgres -c 'SELECT pg_is_in_recovery()' 2>/dev/null)" = f ]; }
writes() { [ -e "$data" ] && recovered; }

# A new and empty cluster beside backups of the former one: somebody lost it, and would lose more.
repository_check() {
    [ -d "$home/repository" ] && [ -d "$home/locks" ] || return 1
    [ "$primary" = no ] || [ -e "$data/PG_VERSION" ] || [ -e "$data.old" ] || [ -e "$data.leaving" ] || [ -z "$(labels)" ]
}
repository_apply() {
    install -d -m 755 "$home"
    install -d -m 700 -o "$user" -g "$user" "$home/repository" "$home/locks"
    repository_check || fail "the database is gone, and its backups are in $home: fraiseql deploy restore brings it back; for a new and empty one move that folder away first"
}

archive_check() {
    [ -s "$home/since" ] && [ "$(sql -d postgres -c 'SHOW archive_command' 2>/dev/null)" != /bin/true ]
}
archive_apply() {
    said=$(rest stanza-create) || fail "pgBackRest does not take the repository: $said"
    sql -d postgres -c 'SELECT pg_reload_conf()' >/dev/null
    tries=0
    while [ "$(sql -d postgres -c 'SHOW archive_command')" = /bin/true ]; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || fail "the server does not take over $archive"
        sleep 0.1
    done
    said=$(rest check) || fail "the log is not archived: $said"
    [ -s "$home/since" ] || date +%s >"$home/since"
}
# What this region wrote before it stood down is kept; the log has a gap from then on.
archive_undo() {
    rm -f "$archive" "$home/since"
    ! answers || sql -d postgres -c 'SELECT pg_reload_conf()' >/dev/null
}

# --- taking
# Under a name, so that a second request for it finds the first.
take() {
    [ -s "$home/since" ] || fail "backups were not set up here: fraiseql deploy does that"
    exec 9>"$home/lock"
    flock -w 3600 9 || fail "another backup has been under way for an hour"
    ! rest info --output=json | grep -qF "\"$2\"" || return 0
    # Right after a promotion the control file has the former timeline still, which pgBackRest refuses.
    sql -d postgres -c CHECKPOINT 9>&-
    said=$(rest --type="$1" --annotation="name=$2" backup 9>&-) || fail "the backup failed: $said"
}
# Lines, then pgBackRest's own JSON.
list() {
    archived=$(find "$home/repository/archive/main" -type f -name '0*' -printf '%T@\n' 2>/dev/null | sort -n | tail -n 1)
    echo "since $(cat "$home/since" 2>/dev/null || echo 0)"
    archived=${archived%%.*}
    echo "latest ${archived:-0}"
    sed 's/^/verified /' "$home/verified" 2>/dev/null || true
    echo "info"
    rest info --output=json
}
# Whether a backup can be taken: "yes", or why it is not.
idle() {
    if writes; then echo yes; elif [ -e "$data" ] && answers; then echo "follows, and is backed up where it is written"; else echo yes; fi
}

# --- verifying
# All of it is read: a backup that nobody restored is a hope.
verify_end() { end_server "$scratch/data"; rm -rf "$scratch"; }
# While it recovers it takes nobody, and pg_ctl calls it started.
verify_answers() {
    tries=0
    until as "$user" "$bin/psql" -X -q -h "$run" -p "$port" -U postgres -d postgres -c 'SELECT 1' >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 36000 ] && as "$user" "$bin/pg_ctl" -D "$scratch/data" status >/dev/null 2>&1 || return 1
        sleep 0.1
    done
}
verify() {
    exec 8>"$home/verify-lock"
    flock -w 3600 8 || fail "another verification has been under way for an hour"
    verify_end
    install -d -m 700 -o "$user" -g "$user" "$scratch" "$scratch/data" "$run"
    said=$(rest --pg1-path="$scratch/data" --set="$1" --type=immediate --target-action=promote \
        --recovery-option=restore_command="$(fetch "$scratch/data")" restore 8>&-) || { verify_end; fail "backup $1 cannot be restored: $said"; }
    printf '%s\n' "data_directory = '$scratch/data'" "hba_file = '$scratch/hba'" "ident_file = '$config/pg_ident.conf'" \
        "unix_socket_directories = '$run'" "port = $port" "listen_addresses = ''" "hot_standby = off" "archive_mode = off" \
        "max_connections = 20" "shared_buffers = 32MB" "fsync = off" >"$scratch/conf"
    echo "local all postgres peer map=administrators" >"$scratch/hba"
    chown "$user" "$scratch/conf" "$scratch/hba"
    as "$user" "$bin/pg_ctl" -D "$scratch/data" -o "-c config_file=$scratch/conf" -l "$scratch/log" -t 3600 -w start \
        >/dev/null 2>&1 8>&- && verify_answers || {
        said=$(tail -n 30 "$scratch/log" | grep -aE "FATAL|PANIC|ERROR" | tail -n 3 | tr '\n' '|')
        verify_end
        fail "backup $1 does not start: $said"
    }
    said=$({ as "$user" "$bin/pg_amcheck" --all --install-missing -h "$run" -p "$port" -U postgres &&
        as "$user" "$bin/pg_dumpall" -h "$run" -p "$port" -U postgres >/dev/null; } 2>&1) ||
        { verify_end; fail "backup $1 is damaged: $said"; }
    verify_end
    { grep -v "^$1 " "$home/verified" 2>/dev/null || true; echo "$1 $(date +%s)"; } | tail -n 1000 >"$home/verified.new"
    mv "$home/verified.new" "$home/verified"
}

# --- restoring
# $1: what is wanted, one word a wish; $2: yes: a stopped cluster may be replaced; the rest goes to pgBackRest. The old one
# is moved aside. Done in an order in which it can be killed anywhere and asked for again.
restore() {
    wish=$1 replace=$2 mark=$data.restoring
    shift 2
    [ -d "$home/repository" ] || fail "there are no backups here"
    exec 9>"$home/lock"
    flock -w 60 9 || fail "a backup is under way"
    if [ "$(cat "$mark" 2>/dev/null)" != "$wish" ]; then
        if [ -e "$data" ]; then
            ! answers || fail "the database runs: stop it first if it shall be replaced"
            [ "$replace" = yes ] || fail "there is a stopped cluster in $data: --replace moves it aside"
        else
            end_orphans
        fi
        empty_new
        note "restoring"
        said=$(rest --pg1-path="$data.new" --recovery-option=restore_command="$(fetch "$data")" "$@" restore 9>&-) || fail "the restore failed: $said"
        sync -f "$data.new"
        printf '%s\n' "$wish" >"$mark"
        sync -f "$mark"
    fi
    if [ -e "$data.new" ]; then
        if [ -e "$data" ]; then
            end_server "$data"
            mv "$data" "$data.replaced-$(date +%s)"
        fi
        mv "$data.new" "$data"
    fi
    (restart_server) >/dev/null 2>&1 || fail "the server cannot be started"
    note "recovering"
    await_recovery
    # A server that is made a standby one day would stop at that moment again.
    as "$user" sed -i -E '/^(restore_command|recovery_target)/d' "$data/postgresql.auto.conf"
    sql -d postgres -c 'SELECT pg_reload_conf()' >/dev/null
    rm -f "$mark"
}
# A moment after which nobody committed anything is not found in the log, and the state at its end is that of the moment.
await_recovery() {
    tries=0
    until recovered; do
        tries=$((tries + 1))
        [ $tries -lt 72000 ] || fail "recovery does not end; its log ends: $(last_lines)"
        if tail -n 5 "$log" | grep -aq 'recovery ended before configured recovery target was reached' && ! answers &&
            grep -q '^recovery_target_time' "$data/postgresql.auto.conf"; then
            as "$user" sed -i -E '/^recovery_target_(time|action)/d' "$data/postgresql.auto.conf"
            (restart_server) >/dev/null 2>&1 || true
        fi
        sleep 0.1
    done
}

# --- the schedule: a full one a week, a differential one a day, each verified; the first one at once
age_of() {
    stamp=${1##*_}
    at=$(date -u -d "$(printf '%s' "$stamp" | sed -E 's/^(....)(..)(..)-(..)(..)(..).*/\1-\2-\3 \4:\5:\6/')" +%s)
    echo $(($(date +%s) - at))
}
due() {
    newest=$(labels | awk -F_ '{ print $NF, $0 }' | sort | tail -n 1 | cut -d' ' -f2)
    whole=$(labels | grep 'F$' | sort | tail -n 1 || true)
    archiving=$(($(date +%s) - $(cat "$home/since")))
    if [ -z "$whole" ] || [ "$(age_of "$newest")" -gt "$archiving" ]; then echo full; return; fi
    passed=$(((24 * 60 + $(date -u +%-H) * 60 + $(date -u +%-M) - window_begin) % 1440))
    [ $passed -lt 60 ] && [ "$(age_of "$newest")" -gt 72000 ] || [ "$(age_of "$newest")" -gt 108000 ] || return 0
    if [ "$(age_of "$whole")" -gt 561600 ]; then echo full; else echo diff; fi
}
turn() {
    writes && [ -s "$home/since" ] || return 0
    kind=$(due)
    if [ -n "$kind" ]; then (take "$kind" "scheduled-$(date -u +%Y%m%d-%H%M%S)"); fi
    newest=$(labels | awk -F_ '{ print $NF, $0 }' | sort | tail -n 1 | cut -d' ' -f2)
    if [ -z "$newest" ] || grep -q "^$newest " "$home/verified" 2>/dev/null; then return; fi
    (verify "$newest")
}
loop() {
    trap 'exit 0' TERM
    while :; do
        sleep 60 &
        wait $!
        (turn) || true
    done
}
