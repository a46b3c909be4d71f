# Functions of backups, behind those of postgres.sh. Before them stand, besides what those want: home (locks, since,
# store, listed, verified, attempts, status) repository (a folder; empty: a store that is not on this host) kept (its name for
# people) settings (pgBackRest's file) archive (the server's file) run scratch primary window_begin (minutes after
# midnight, UTC) latest_seconds (the age from which a backup is due whatever the hour) server_file (there where something
# keeps the server running).

rest() {
    as "$user" env -i PATH="$PATH" TZ=UTC pgbackrest --config="$settings" --stanza=main --log-level-console=error --log-level-stderr=off "$@" 2>&1
}
fetch() { printf 'pgbackrest --config=%s --pg1-path=%s --stanza=main archive-get %%f "%%p"' "$settings" "$1"; }
# The schedule and a verb may want to write the same file at once.
alone() { (flock -w 60 7 || fail "another process has been writing in $home for a minute"; "$@" 7>&-) 7>"$home/files-lock"; }
# What pgBackRest lists, as "backup LABEL KIND ENDED DATABASE_BYTES STORED_BYTES done|damaged". Asked for what it may have
# changed, and else taken from the file: a store charges for each question.
list_anew() {
    # It calls it success when the repository cannot be read: status 99.
    found=$(rest info --output=json) && ! printf '%s\n' "$found" | grep -q '"code":99' ||
        fail "the backups in $kept cannot be listed: $(printf '%s\n' "$found" | sed -n 's/.*"code":99,"message":"\([^"\\]\{1,300\}\).*/\1/p' | grep . || printf '%s\n' "$found")"
    alone keep_listed
}
keep_listed() {
    printf '%s\n' "$found" | sed 's/"type":"[a-z]*"}/&\n/g' | sed -n -E "s/.*$about_one/backup \\4 \\6 \\5 \\3 \\2 \\1/p" |
        sed -E 's/ true$/ damaged/; s/ (false|null)$/ done/' >"$home/listed.new"
    mv "$home/listed.new" "$home/listed"
}
about_one='"error":([a-z]*),"info":\{"delta":[0-9]*,"repository":\{"delta":([0-9]*)[^}]*\},"size":([0-9]*)\},"label":"([^"]*)".*"timestamp":\{"start":[0-9]*,"stop":([0-9]*)\},"type":"([a-z]*)"\}$'
labels() { cut -d' ' -f2 "$home/listed"; }
newest() { sort -n -k4,4 "$home/listed" | tail -n 1 | cut -d' ' -f2; }
# Said by the server itself: one that ends while it is asked has said nothing.
recovered() { [ "$(sql -d postgres -c 'SELECT pg_is_in_recovery()' 2>/dev/null)" = f ]; }
writes() { [ -e "$data" ] && recovered; }

# A new and empty cluster beside backups of the former one: somebody lost it, and would lose more.
repository_check() {
    [ -z "$repository" ] || [ -d "$repository" ] || return 1
    [ -d "$home/locks" ] && kept_or_new
}
kept_or_new() {
    if [ "$primary" = no ] || [ -e "$data/PG_VERSION" ] || [ -e "$data.old" ] || [ -e "$data.leaving" ]; then return 0; fi
    (list_anew) && [ ! -s "$home/listed" ]
}
refuse_new() {
    list_anew
    kept_or_new || fail "the database is gone, and its backups are in $kept: fraiseql deploy restore brings it back; for a new and empty one move them away first"
}
repository_apply() {
    install -d -m 755 "$home"
    install -d -m 700 -o "$user" -g "$user" "$home/locks" ${repository:+"$repository"}
    # On a host where nothing stands yet it is refused later, before a cluster is made: a restore wants its settings.
    [ ! -e "$config/postgresql.conf" ] || kept_or_new || refuse_new
}

# Another store knows nothing of what was archived into the former one. The first ones were all in the folder.
same_store() { [ "$(cat "$home/store" 2>/dev/null || echo "$home")" = "$kept" ]; }
archive_check() {
    same_store && [ -s "$home/since" ] && [ "$(sql -d postgres -c 'SHOW archive_command' 2>/dev/null)" != /bin/true ]
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
    if [ ! -s "$home/since" ] || ! same_store; then
        rm -f "$home/listed"
        date +%s >"$home/since"
        echo "$kept" >"$home/store"
    fi
    rm -f "$home/ended"
    publish
}
# What this region wrote before it stood down is kept; the log has a gap from then on.
archive_undo() {
    if [ -s "$home/since" ]; then touch "$home/ended"; fi
    rm -f "$archive" "$home/since" "$home/status"
    ! answers || sql -d postgres -c 'SELECT pg_reload_conf()' >/dev/null
}

# --- what is told of it: lines for the collector (scrapers/backup/status.h)
publish() {
    [ ! -s "$home/since" ] || alone write_status
}
write_status() {
    {
        echo "since $(cat "$home/since")"
        cat "$home/listed" "$home/attempt-backup" "$home/attempt-verification" 2>/dev/null || true
        sed 's/^/verified /' "$home/verified" 2>/dev/null || true
    } >"$home/status.new"
    mv "$home/status.new" "$home/status"
}
# $1: backup or verification; the rest does it. How it ended is told either way.
attempt() {
    what=$1
    shift
    ended=done
    ("$@") || ended=failed
    echo "attempt $what $(date +%s) $ended" >"$home/attempt-$what.new"
    mv "$home/attempt-$what.new" "$home/attempt-$what"
    [ "$what $ended" != "backup done" ] || (list_anew) || ended=failed
    publish
    [ $ended = done ]
}

# --- taking
# Under a name, so that a second request for it finds the first.
take() { attempt backup take_now "$@"; }
take_now() {
    [ -s "$home/since" ] || fail "backups were not set up here: fraiseql deploy does that"
    exec 9>"$home/lock"
    flock -w 3600 9 || fail "another backup has been under way for an hour"
    list_anew 9>&-
    ! printf '%s\n' "$found" | grep -qF "\"$2\"" || return 0
    # Right after a promotion the control file has the former timeline still, which pgBackRest refuses.
    sql -d postgres -c CHECKPOINT 9>&-
    said=$(rest --type="$1" --annotation="name=$2" --annotation="since=$(cat "$home/since")" backup 9>&-) || fail "the backup failed: $said"
}
# When the newest file of the log was archived.
archived() {
    if [ -n "$repository" ]; then
        find "$repository/archive/main" -type f -name '0*' -printf '%T@\n' 2>/dev/null | cut -d. -f1
    else
        rest repo-ls --recurse --output=json --filter='/0[0-9A-F]{23}-' archive/main | grep -oE '"time":[0-9]+' | cut -d: -f2
    fi | sort -n | tail -n 1
}
# Since when the log has no gap: a host that was lost knows it from the newest backup.
unbroken_since() {
    if [ -s "$home/since" ]; then cat "$home/since"; elif [ -e "$home/ended" ]; then echo 0; else
        printf '%s\n' "$found" | grep -oE '"since":"[0-9]+"' | tail -n 1 | tr -dc 0-9 | grep . || echo 0
    fi
}
# Lines, then pgBackRest's own JSON.
list() {
    list_anew
    echo "since $(unbroken_since)"
    last=$(archived)
    echo "latest ${last:-0}"
    sed 's/^/verified /' "$home/verified" 2>/dev/null || true
    echo "info"
    printf '%s\n' "$found"
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
verify() { attempt verification verify_now "$@"; }
verify_now() {
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
    [ -z "$repository" ] || [ -d "$repository" ] || fail "there are no backups here"
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
    start_restored
    note "recovering"
    await_recovery
    # A server that is made a standby one day would stop at that moment again.
    as "$user" sed -i -E '/^(restore_command|recovery_target)/d' "$data/postgresql.auto.conf"
    sql -d postgres -c 'SELECT pg_reload_conf()' >/dev/null
    if ! is_kept_running; then end_server "$data"; fi
    rm -f "$mark"
}
# On a host that was lost nobody keeps the server running before the next deployment: it runs for the recovery alone, and
# leaves a cluster that is known as ours by this file.
is_kept_running() { [ -e "$server_file" ]; }
start_restored() {
    if is_kept_running; then
        (restart_server) >/dev/null 2>&1 || fail "the server cannot be started"
        return
    fi
    touch "$data.restored"
    [ -s "$config/postgresql.conf" ] || fail "this host is not set up: fraiseql deploy does that, up to where it refuses to make an empty database"
    end_server "$data"
    touch "$log"
    chown "$user" "$log"
    region as "$user" "$bin/pg_ctl" -D "$data" -o "-c config_file=$config/postgresql.conf" -l "$log" -W start >/dev/null 2>&1 9>&- ||
        fail "the server cannot be started"
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
            (start_restored) || true
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
    last=$(newest)
    whole=$(labels | grep 'F$' | sort | tail -n 1 || true)
    archiving=$(($(date +%s) - $(cat "$home/since")))
    if [ -z "$whole" ] || [ "$(age_of "$last")" -gt "$archiving" ]; then echo full; return; fi
    passed=$(((24 * 60 + $(date -u +%-H) * 60 + $(date -u +%-M) - window_begin) % 1440))
    [ $passed -lt 60 ] && [ "$(age_of "$last")" -gt 72000 ] || [ "$(age_of "$last")" -gt "$latest_seconds" ] || return 0
    if [ "$(age_of "$whole")" -gt 561600 ]; then echo full; else echo diff; fi
}
# Backups that retention took, or that somebody took or deleted by hand, are seen within the hour.
turn() {
    writes && [ -s "$home/since" ] || return 0
    if [ ! -e "$home/listed" ] || [ -z "$(find "$home/listed" -mmin -60)" ]; then (list_anew); fi
    kind=$(due)
    if [ -n "$kind" ]; then take "$kind" "scheduled-$(date -u +%Y%m%d-%H%M%S)"; fi
    last=$(newest)
    if [ -n "$last" ] && ! grep -q "^$last " "$home/verified" 2>/dev/null; then verify "$last"; fi
}
loop() {
    trap 'exit 0' TERM
    while :; do
        sleep 60 &
        wait $!
        (turn) || true
        (publish) || true
    done
}
