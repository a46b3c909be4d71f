#!/bin/sh
# One region of a deployment, step by step, on its host, as root. It needs nothing of FraiseQL's.
#
#   sh region.sh list                  the steps in their order, and which of them stand
#   sh region.sh apply [STAGE]         does what does not stand: of all stages, or of one of
#                                      host primary standby service traffic monitoring
#   sh region.sh undo [--delete-data]  takes back what was done, the last step first; data stays without --delete-data
#
# What is done is written into the same ledger on the host as `fraiseql deploy` writes, so that either goes on where the
# other ended.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
steps=$here/steps
. "$here/region.conf"
secrets=${FRAISEQL_SECRETS:-$here/../../secrets/$region}
ledger=$base/ledger.jsonl

fail() {
    printf 'region.sh: %s\n' "$*" >&2
    exit 1
}
usage() { fail "want list, apply [STAGE] or undo [--delete-data]; see the README beside this folder"; }

[ $# -ge 1 ] || usage
[ "$(id -u)" = 0 ] || fail "this takes root"
if [ -z "${FRAISEQL_LOCKED:-}" ]; then
    FRAISEQL_LOCKED=1
    export FRAISEQL_LOCKED
    exec flock -o -w 60 -E 75 "$lock" sh "$here/region.sh" "$@"
fi
if [ -d "$secrets" ]; then
    secrets=$(cd "$secrets" && pwd)
elif grep -q '^secret ' "$steps"/*/files; then
    fail "there is no folder $secrets: bring it along, or name it in FRAISEQL_SECRETS"
fi

do_script() { sh -c '. "$1"; . "$2"' sh "$steps/prelude.sh" "$1" </dev/null; }
source_of() { if [ "$1" = secret ]; then echo "$secrets$2"; else echo "$here/files$2"; fi; }

# --- the ledger
last_of() { [ ! -s "$ledger" ] || grep -aF "\"id\":\"$1\"" "$ledger" | tail -n 1; }
state_of() {
    case $1 in
    '' | *'"event":"undone"'*) echo none ;;
    *'"event":"begin"'*) echo begun ;;
    *) echo "done" ;;
    esac
}
record() {
    if [ -s "$ledger" ] && [ -n "$(tail -c 1 "$ledger")" ]; then echo >>"$ledger"; fi
    printf '{"at":"%s",%s\n' "$(date -u +%Y-%m-%dT%H:%M:%S.000Z)" "$1" >>"$ledger"
    sync "$ledger"
}
judge_ledger() {
    [ ! -s "$ledger" ] || grep -qF "\"deployment\":\"$deployment_id\"" "$ledger" || fail "$ledger is another deployment's"
}
# With the first step alone: what is refused leaves nothing.
own_ledger() {
    [ ! -s "$ledger" ] || return 0
    mkdir -p "$base"
    record "\"event\":\"owner\",\"deployment\":\"$deployment_id\"}"
}

# --- one step: of the line that was read, name stage id hash kind title
stands() {
    while read -r kind mode owner path; do
        cmp -s "$(source_of "$kind" "$path")" "$path" || return 1
        [ "$(stat -c '%a %U:%G' "$path")" = "$mode $owner" ] || return 1
    done <"$steps/$name/files"
    [ ! -e "$steps/$name/check.sh" ] || do_script "$steps/$name/check.sh" >/dev/null 2>&1
}
is_to_do() {
    last=$(last_of "$id")
    case $last in
    *'"event":"done"'*"\"hash\":\"$hash\""*) ! stands ;;
    *) true ;;
    esac
}
guard() {
    if [ -e "$steps/$name/guard.sh" ]; then do_script "$steps/$name/guard.sh"; fi
    while read -r kind mode owner path; do
        case $path in "$base"/* | "$run"/*) continue ;; esac
        [ ! -e "$path" ] || fail "$path is there and is not ours"
    done <"$steps/$name/files"
}
put() {
    mkdir -p "${2%/*}"
    rm -f "$2.fraiseql-new"
    (umask 077 && cat "$1" >"$2.fraiseql-new")
    chown "$4" "$2.fraiseql-new"
    chmod "$3" "$2.fraiseql-new"
    sync "$2.fraiseql-new"
    mv -f "$2.fraiseql-new" "$2"
}
apply_step() {
    printf '%s: %s\n' "$id" "$title"
    if [ "$(state_of "$(last_of "$id")")" = none ]; then guard; fi
    own_ledger
    record "$(cat "$steps/$name/begin")"
    while read -r kind mode owner path; do
        put "$(source_of "$kind" "$path")" "$path" "$mode" "$owner"
    done <"$steps/$name/files"
    if [ -e "$steps/$name/apply.sh" ]; then do_script "$steps/$name/apply.sh"; fi
    record "$(cat "$steps/$name/done")"
}
undo_step() {
    printf 'undo %s: %s\n' "$id" "$title"
    if [ -e "$steps/$name/undo.sh" ]; then do_script "$steps/$name/undo.sh"; fi
    while read -r kind mode owner path; do
        rm -f "$path" "$path.fraiseql-new"
        case $path in "$base"/*) rmdir "${path%/*}" 2>/dev/null || true ;; esac
    done <"$steps/$name/files"
    record "\"event\":\"undone\",\"id\":\"$id\"}"
}

# --- all of them
# Who writes is what the databases say: this folder knows only who did when nothing stood yet. To have a database that
# writes follow another would take back what was written since.
judge_role() {
    [ -s "$data/postgresql/PG_VERSION" ] || return 0
    if [ "$role" = follows ] && [ ! -e "$data/postgresql/standby.signal" ]; then
        fail "the database here writes, and this folder would have it follow another; nothing was done. \`fraiseql deploy\` asks the databases"
    fi
    if [ "$role" = writes ] && [ -e "$data/postgresql/standby.signal" ]; then
        fail "the database here follows another, and this folder would have it write; nothing was done. \`fraiseql deploy\` asks the databases"
    fi
}
list_all() {
    while read -r name stage id hash kind title; do
        if is_to_do; then word='to do'; else word=stands; fi
        printf '%-8s %-10s %-26s %s\n' "$word" "$stage" "$id" "$title"
    done <"$steps/order"
}
apply_all() {
    case $1 in all | host | primary | standby | service | traffic | monitoring) ;; *) usage ;; esac
    judge_role
    judge_ledger
    while read -r name stage id hash kind title; do
        if [ "$1" != all ] && [ "$1" != "$stage" ]; then continue; fi
        if is_to_do; then apply_step; fi
    done <"$steps/order"
}
data_is_left() {
    while read -r name stage id hash kind title; do
        if [ "$kind" = data ] && [ "$(state_of "$(last_of "$id")")" != none ]; then return 0; fi
    done <"$steps/order"
    return 1
}
undo_all() {
    case $1 in '' | --delete-data) ;; *) usage ;; esac
    [ -s "$ledger" ] || { echo "nothing of this region stands here"; return 0; }
    judge_ledger
    stays=no
    if [ -z "$1" ] && data_is_left; then stays=yes; fi
    tac "$steps/order" | while read -r name stage id hash kind title; do
        if [ $stays = yes ] && [ "$kind" != - ]; then continue; fi
        if [ "$(state_of "$(last_of "$id")")" != none ]; then undo_step; fi
    done
    if [ $stays = yes ]; then
        echo "data stays, with the user that owns it; undo --delete-data removes it"
        return 0
    fi
    for id in $(sed -n 's/.*"id":"\([^"]*\)".*/\1/p' "$ledger" | sort -u); do
        [ "$(state_of "$(last_of "$id")")" = none ] || fail "$id is not of this folder and was left"
    done
    rm -f "$ledger"
    for folder in "$base" "${base%/*}" /var/lib/fraiseql; do rmdir "$folder" 2>/dev/null || true; done
    rm -f "$lock"
}

case $1 in
list) list_all ;;
apply) apply_all "${2:-all}" ;;
undo) undo_all "${2:-}" ;;
*) usage ;;
esac
