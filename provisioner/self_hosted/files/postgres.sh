# Functions of the steps of PostgreSQL. Before them stand: user version bin data socket port address sharing config log.
# config holds machine.conf, role.sh and the SQL; role.sh says whom this region follows: follows source
# source_database slot, the first empty where it writes.

role() { . "$config/role.sh"; }
sql() { as "$user" "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$socket" -p "$port" -U postgres "$@"; }
answers() { sql -d postgres -c 'SELECT 1' >/dev/null 2>&1; }
in_recovery() { [ "$(sql -d postgres -c 'SELECT pg_is_in_recovery()')" = t ]; }
last_lines() { tail -n 3 "$log" 2>/dev/null | tr '\n' '|'; }
at_most() { if [ "$1" -gt "$2" ]; then echo "$2"; else echo "$1"; fi; }
at_least() { if [ "$1" -lt "$2" ]; then echo "$2"; else echo "$1"; fi; }

# Regions on one machine share it. What WAL a slot may keep is bounded by the disk: a standby that is away must not
# fill it.
size_to_machine() {
    memory_kb=$(($(awk '/^MemTotal:/ { print $2 }' /proc/meminfo) / sharing))
    free_mb=$(($(df -Pk "${data%/*}" | awk 'NR == 2 { print $4 }') / 1024 / sharing))
    processors=$(nproc)
    {
        echo "# Made by fraiseql deploy for $((memory_kb / 1024)) MiB of memory, $processors processors and $free_mb MiB of disk."
        echo "shared_buffers = $(at_most $(at_least $((memory_kb / 4)) 131072) 16777216)kB"
        echo "effective_cache_size = $(at_least $((memory_kb / 4 * 3)) 262144)kB"
        echo "maintenance_work_mem = $(at_most $(at_least $((memory_kb / 20)) 65536) 2097152)kB"
        echo "work_mem = $(at_most $(at_least $((memory_kb / 800)) 4096) 65536)kB"
        echo "max_parallel_workers = $(at_most "$processors" 32)"
        echo "max_wal_size = $(at_most $(at_least $((free_mb / 20)) 512) 16384)MB"
        echo "min_wal_size = 128MB"
        echo "max_slot_wal_keep_size = $(at_most $(at_least $((free_mb / 4)) 1024) 102400)MB"
    } >"$config/machine.conf.new"
    mv "$config/machine.conf.new" "$config/machine.conf"
}

config_check() { [ -d "$socket" ] && [ -d "$config/conf.d" ] && [ -s "$config/machine.conf" ]; }
config_apply() {
    [ -x "$bin/postgres" ] || fail "PostgreSQL $version is not on this host: $bin/postgres is missing"
    install -d -m 755 -o "$user" -g "$user" "$socket"
    mkdir -p "$config/conf.d"
    [ -s "$config/machine.conf" ] || size_to_machine
}

# --- the cluster
cluster_guard() {
    if [ -e "$data" ] && [ ! -e "$data.restored" ]; then fail "$data is there already, and this deployment did not make it: move it away"; fi
    holder=$(region ss -Hltn "sport = :$port" 2>/dev/null | awk -v want="$address:$port" -v any="0.0.0.0:$port" -v all="*:$port" \
        '$4 == want || $4 == any || $4 == all { print $4; exit }')
    [ -z "$holder" ] || fail "port $port is in use ($holder listens): stop what has it, or give the region a port_base"
}

# What a killed run began may still be writing there: it ends once its folders are gone.
empty_new() {
    left=30
    until rm -rf "$data.new" 2>/dev/null; do
        [ $((left -= 1)) -gt 0 ] || fail "cannot remove $data.new"
        sleep 1
    done
    install -d -m 700 -o "$user" -g "$user" "$data.new"
}

copy_from_source() {
    note "copying $follows"
    empty_new
    said=$(region as "$user" "$bin/pg_basebackup" -D "$data.new" -d "$source" -S "$slot" -X stream -c fast 2>&1) ||
        fail "cannot copy the database of $follows: $said"
    as "$user" touch "$data.new/standby.signal"
    as "$user" rm -f "$data.new/postgresql.auto.conf"
    as "$user" touch "$data.new/postgresql.auto.conf"
    sync -f "$data.new"
}

make_new() {
    note "making a cluster of PostgreSQL $version"
    empty_new
    said=$(as "$user" "$bin/initdb" -D "$data.new" --data-checksums -U postgres --auth-local=peer \
        --auth-host=scram-sha-256 --locale=C.UTF-8 --encoding=UTF8 2>&1) || fail "initdb: $said"
    sync -f "$data.new"
}

# Whatever still runs on a folder that was moved or is gone ends: its postmaster's file is in the folder. After a crash
# of the machine the number in it may be anybody's: a server works in its folder.
serves() { [ "$(readlink "/proc/$2/cwd" 2>/dev/null)" = "$1" ]; }
end_server() { # [signal: INT unless QUIT shall not wait for standbys]
    pid=$(head -n 1 "$1/postmaster.pid" 2>/dev/null || true)
    [ -n "$pid" ] && serves "$1" "$pid" || return 0
    kill "-${2:-INT}" "$pid" 2>/dev/null || return 0
    tries=0
    while serves "$1" "$pid"; do
        tries=$((tries + 1))
        [ $tries -ne 200 ] || kill -QUIT "$pid" 2>/dev/null || true
        [ $tries -lt 600 ] || fail "the server on $1 (process $pid) does not end"
        sleep 0.05
    done
}

# A folder that somebody removed leaves its server behind, with nothing to stop it by.
end_orphans() {
    for process in /proc/[0-9]*; do
        if [ "$(readlink "$process/cwd" 2>/dev/null)" = "$data (deleted)" ]; then kill -KILL "${process#/proc/}" 2>/dev/null || true; fi
    done
}

# Whoever became the one that writes began a new timeline. One on an older timeline was left behind: what follows it
# loses what was written since.
timeline_here() { # the control file knows of it only after a while, the log at once
    newest=$(ls "$1/pg_wal" | sed -n -E 's/^([0-9A-F]{8})([0-9A-F]{16}|\.history)$/\1/p' | sort | tail -n 1)
    echo $((0x${newest:-0}))
}
timeline_there() {
    region as "$user" "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$source_database dbname=postgres" -c "SELECT
        ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int"
}
refuse_older() {
    there=$(timeline_there 2>&1) || fail "cannot ask $follows: $there"
    here=$(timeline_here "$1")
    [ "$here" -le "$there" ] ||
        fail "the copy here is on timeline $here and $follows on $there, an older one: whoever began $here has what $follows lacks. If $follows shall write nevertheless, move $1 away"
}

# While a folder is worked on it has another name, so that nothing starts a server on it; afterwards one that was left to
# try again is told to.
wake_server() {
    answers || (restart_server) >/dev/null 2>&1 || true
}

# pg_rewind takes the source's timeline from its last checkpoint: right after a promotion that is the former one, and a
# copy that went another way would pass for one that did not.
rewind() {
    note "taking back what $follows does not have"
    region as "$user" "$bin/psql" -X -q -d "$source_database dbname=postgres" -c CHECKPOINT >"$config/rewind.log" 2>&1 ||
        return 1
    rm -f "$data.leaving/postmaster.pid"
    region as "$user" "$bin/pg_rewind" -D "$data.leaving" --source-server="$source_database dbname=postgres" \
        >"$config/rewind.log" 2>&1
}

# An old primary, or a standby that went another way. What cannot be rewound may hold what was never copied: it is kept
# beside the new copy.
follow_again() {
    if [ ! -e "$data.leaving" ]; then
        refuse_older "$data"
        mv "$data" "$data.leaving"
    fi
    end_server "$data.leaving"
    if rewind; then
        as "$user" rm -f "$data.leaving/postgresql.auto.conf"
        as "$user" touch "$data.leaving/postgresql.auto.conf" "$data.leaving/standby.signal"
        sync -f "$data.leaving"
        mv "$data.leaving" "$data"
    else
        away=$data.diverged-$(date +%s)
        note "it cannot be rewound ($(tail -n 1 "$config/rewind.log")); it is kept in $away"
        copy_from_source
        mv "$data.leaving" "$away"
        mv "$data.new" "$data"
    fi
    wake_server
}

# A standby that is only late holds nothing of its own.
copy_again() {
    copy_from_source
    rm -rf "$data.old"
    mv "$data" "$data.old"
    end_server "$data.old"
    mv "$data.new" "$data"
    rm -rf "$data.old"
    wake_server
}

cluster_check() {
    role
    [ -s "$data/PG_VERSION" ] || return 1
    if [ -n "$follows" ]; then [ -e "$data/standby.signal" ]; else [ ! -e "$data/standby.signal" ]; fi
}

cluster_apply() {
    role
    rm -f "$data.restored"
    # A switchover that was cut short before this server stood down: it still writes, and is to go on.
    if [ -z "$follows" ] && answers && ! in_recovery; then as "$user" rm -f "$data/standby.signal"; fi
    if [ ! -e "$data" ] && [ -e "$data.old" ]; then mv "$data.old" "$data"; fi
    if [ ! -e "$data" ] && [ -e "$data.leaving" ]; then
        if [ -n "$follows" ]; then follow_again; else mv "$data.leaving" "$data"; fi
    fi
    if [ ! -s "$data/PG_VERSION" ]; then
        end_orphans
        if [ -n "$follows" ]; then copy_from_source; else make_new; fi
        rm -rf "$data"
        mv "$data.new" "$data"
        return
    fi
    [ "$(cat "$data/PG_VERSION")" = "$version" ] ||
        fail "the cluster is of PostgreSQL $(cat "$data/PG_VERSION"), and the file says $version: going to another version is not part of this program"
    if [ -z "$follows" ] && [ -e "$data/standby.signal" ]; then
        fail "this region holds a standby, and no region writes: let one write by fraiseql deploy switchover, or bring the region that wrote back"
    fi
    if [ -n "$follows" ] && [ ! -e "$data/standby.signal" ]; then follow_again; fi
}

# Folders of ours only; the parent stays while anything else is in it.
cluster_undo() {
    for folder in "$data" "$data.new" "$data.old" "$data.leaving"; do end_server "$folder"; done
    rm -rf "$data" "$data.new" "$data.old" "$data.leaving" "$data".diverged-*
    rm -f "$data.restored" "$config/rewind.log"
}

# --- the server that runs
# A server that is started with a setting that it does not take ends at once: so they are tried out before.
settings_errors() {
    as "$user" "$bin/postgres" -C port -c config_file="$config/postgresql.conf" 2>&1 >/dev/null || true
    answers || return 0
    sql -d postgres -c "SELECT '$config/pg_hba.conf:' || line_number || ': ' || error FROM pg_hba_file_rules WHERE error IS NOT NULL"
}
take_over_settings() {
    wrong=$(settings_errors)
    [ -z "$wrong" ] || fail "the server would not take these settings, and goes on with those it has: $wrong"
    sql -d postgres -c 'SELECT pg_reload_conf()' >/dev/null
    sleep 0.5
    [ "$(sql -d postgres -c 'SELECT count(*) FROM pg_settings WHERE pending_restart')" = 0 ]
}

# What a standby must have at least as much of as its primary, or it does not replay (hot_standby). So more of it comes to
# the standbys first, and less to the one that writes first: a standby waits until it has replayed that.
bounds='max_connections max_prepared_transactions max_locks_per_transaction max_wal_senders max_worker_processes'
wanted() { as "$user" "$bin/postgres" -C "$1" -c config_file="$config/postgresql.conf" 2>/dev/null; }
# Of the primary, as far as this standby has replayed.
needed() {
    named=$(echo "$1" | sed 's/_transaction\(s\{0,1\}\)$/_xact\1/')
    as "$user" env LC_ALL=C "$bin/pg_controldata" "$data" | sed -n "s/^$named setting: *//p"
}
falls_short() { # prints what is wanted less of than is needed
    for bound in $bounds; do
        least=$(needed "$bound")
        most=$(wanted "$bound")
        if [ "${most:-0}" -lt "${least:-0}" ]; then echo "$bound = $most, and the primary has $least"; fi
    done
}
# True where a standby that runs has less of something than it is to have, and would start with what it is to have.
must_rise() {
    answers && in_recovery || return 1
    for bound in $bounds; do
        have=$(sql -d postgres -c "SHOW $bound")
        most=$(wanted "$bound")
        if [ "${most:-0}" -gt "$have" ]; then
            [ -z "$(falls_short)" ]
            return
        fi
    done
    return 1
}
rise_check() { ! must_rise; }
rise_apply() {
    must_rise || return 0
    wrong=$(settings_errors)
    [ -z "$wrong" ] || fail "the server would not take these settings, and goes on with those it has: $wrong"
    (restart_server)
    await_answers
}
await_bounds() {
    if ! answers || ! in_recovery; then return; fi
    tries=0
    until [ -z "$(falls_short)" ]; do
        tries=$((tries + 1))
        [ $tries -lt 120 ] || fail "a standby does not run with less than its primary: $(falls_short | tr '\n' ';'). It goes on with the settings it has"
        sleep 0.5
    done
}
take_over() {
    take_over_settings || {
        await_bounds
        restart
    }
}

# One whose folder was just made anew is started by whoever keeps it running, in its own time.
await_answers() {
    tries=0
    until answers; do
        tries=$((tries + 1))
        [ $tries -lt 1200 ] || fail "its server does not answer; its log ends: $(last_lines)"
        sleep 0.05
    done
}
roles_apply() {
    await_answers
    if in_recovery; then return; fi
    sql -d postgres -f "$config/roles.sql" >/dev/null
    sql -d fraiseql -f "$config/database.sql" >/dev/null
}

drop_slots="SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
    WHERE slot_type = 'physical' AND NOT active AND NOT temporary AND slot_name ~ '^fraiseql_'"
slots_apply() {
    await_answers
    if in_recovery; then sql -d postgres -c "$drop_slots" >/dev/null; else sql -d postgres -f "$config/slots.sql" >/dev/null; fi
}
# "name wal_status" a line, in the order of names.
slots_check() {
    have=$(sql -d postgres -c "SELECT string_agg(slot_name, ' ' ORDER BY slot_name) FROM pg_replication_slots
        WHERE slot_type = 'physical' AND slot_name ~ '^fraiseql_' AND wal_status <> 'lost'") || return 1
    if in_recovery; then [ -z "$have" ]; else [ "$have" = "$slots" ]; fi
}

# --- a standby that follows
# One that went another way streams too, again and again, up to where the ways part: the timeline tells. One that lacks what
# is gone says that it streams until the server has looked for it, and begins anew after some seconds: it has to last.
receiver() {
    sql -d postgres -c "SELECT received_tli, pid FROM pg_stat_wal_receiver WHERE status = 'streaming' AND slot_name = '$slot'
        AND position(' hostaddr=' || '$1' || ' ' in ' ' || conninfo || ' ') > 0" 2>/dev/null
}
streams() {
    on=$(receiver "$1") && [ -n "$on" ] && [ "${on%|*}" = "$(timeline_there 2>/dev/null)" ] || return 1
    sleep 0.2
    [ "$(receiver "$1")" = "$on" ]
}
source_address() { printf '%s\n' "$source" | sed -n 's/.*hostaddr=\([^ ]*\).*/\1/p'; }
follow_check() {
    role
    [ -n "$follows" ] || return 0
    streams "$(source_address)"
}
await_stream() {
    tries=0
    until streams "$(source_address)"; do
        tries=$((tries + 1))
        [ $tries -lt "$1" ] || return 1
        sleep 0.1
    done
}
follow_apply() {
    role
    [ -n "$follows" ] || return 0
    if await_stream 60; then return; fi
    refuse_older "$data"
    # What the one that wrote before sent last may never have reached the one that writes now.
    if tail -n 30 "$log" | grep -aqE 'forked off current database system timeline|is ahead of the WAL flush position' && ! await_stream 20; then
        note "this standby has what $follows never had"
        follow_again
    fi
    if tail -n 30 "$log" | grep -aq 'has already been removed' && ! await_stream 20; then
        note "$follows no longer has the WAL that this standby lacks"
        copy_again
    fi
    await_stream 300 || fail "this standby does not follow $follows; its log ends: $(last_lines)"
}

# --- questions
# "primary", "standby", "stopped-primary", "stopped-standby" or "none".
who() {
    if answers; then
        if in_recovery; then echo standby; else echo primary; fi
    elif [ -s "$data/PG_VERSION" ]; then
        if [ -e "$data/standby.signal" ]; then echo stopped-standby; else echo stopped-primary; fi
    else
        echo none
    fi
}
# How it stands, in a line for people and one as JSON; that one is empty where a standby follows nobody.
look() {
    state=$(who)
    echo "$state"
    case $state in
        primary) sql -d postgres -F ' ' -c "SELECT 'timeline ' || timeline_id || ', ' ||
            (SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming') || ' standbys follow' ||
            coalesce((SELECT ', the slowest ' || pg_size_pretty(max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn))) || ' behind'
                      FROM pg_stat_replication HAVING count(*) > 0), '') FROM pg_control_checkpoint()" -c "SELECT json_build_object(
            'timeline', timeline_id, 'standbys', (SELECT coalesce(json_agg(json_build_object('name', application_name, 'state', state,
                'lag_bytes', pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint, 'lag_s', extract(epoch FROM replay_lag))
                ORDER BY application_name), '[]') FROM pg_stat_replication WHERE state IN ('streaming', 'catchup')))
            FROM pg_control_checkpoint()" ;;
        standby) sql -d postgres -c "SELECT coalesce((SELECT 'follows ' || coalesce(substring(conninfo from 'host=([^ ]*)'), sender_host) ||
            ', timeline ' || received_tli || ', ' || pg_size_pretty(greatest(0, pg_wal_lsn_diff(latest_end_lsn, pg_last_wal_replay_lsn()))) || ' behind'
            FROM pg_stat_wal_receiver WHERE status = 'streaming'), 'follows nobody')" -c "SELECT json_build_object('timeline', received_tli,
            'follows', coalesce(substring(conninfo from 'host=([^ ]*)'), sender_host),
            'lag_bytes', greatest(0, pg_wal_lsn_diff(latest_end_lsn, pg_last_wal_replay_lsn()))::bigint,
            'lag_s', CASE WHEN latest_end_lsn <= pg_last_wal_replay_lsn() THEN 0
                ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END)
            FROM pg_stat_wal_receiver WHERE status = 'streaming'" ;;
    esac
}

# --- switching over
# How far a standby that streams from here is behind, in bytes; nothing where it does not stream.
standby_behind() {
    sql -d postgres -c "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint FROM pg_stat_replication
        WHERE application_name = '$1' AND state = 'streaming'"
}
# What a checkpoint has to write is written before writes are closed, not while nobody may write.
flush() { sql -d postgres -c CHECKPOINT; }
# A clean end sends every standby what it lacks, the last checkpoint included; with the signal in place the server comes
# back as a standby, whoever starts it. Prints how far it got.
stand_down() {
    as "$user" touch "$data/standby.signal"
    sync -f "$data"
    if answers && in_recovery; then :; else restart_server; fi
    await_standby
}
await_standby() {
    tries=0
    until answers && in_recovery; do
        tries=$((tries + 1))
        [ $tries -lt 1200 ] || fail "it does not come back as a standby; its log ends: $(last_lines)"
        sleep 0.05
    done
    position
}
# The same for a region that is given up: its standbys may be out of reach, so it ends at once and not cleanly. What it had
# acknowledged is in its log, and stays there.
fence() {
    as "$user" touch "$data/standby.signal"
    sync -f "$data"
    if answers && in_recovery; then :; else
        (end_server "$data" QUIT) || restart_server
        wake_server
    fi
    await_standby
}
position() { sql -d postgres -c "SELECT pg_last_wal_replay_lsn()"; }
# Up to where it would be once promoted: all that it received is replayed first.
received() { sql -d postgres -c "SELECT greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())"; }
# Waits until it has replayed up to $1; prints how far it got.
await_position() {
    tries=0
    until [ "$(sql -d postgres -c "SELECT pg_last_wal_replay_lsn() >= '$1'::pg_lsn")" = t ] || [ $tries -ge 200 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    position
}
promote() {
    answers || fail "its server does not answer; its log ends: $(last_lines)"
    in_recovery || return 0
    [ "$(sql -d postgres -c 'SELECT pg_promote(true, 60)')" = t ] || fail "it does not become the one that writes; its log ends: $(last_lines)"
}
