# A system user, whom the regions and deployments on a host share. Before these stand user, notes (a folder of it, with a file
# `made` when we made it) and member (a file of the region in there).

# Whoever else changes users, or was killed at it a moment ago, holds the lists: tried again for ten seconds. What it said: said.
again() {
    tries=0
    until said=$("$@" 2>&1); do
        case $said in *"cannot lock"*) ;; *) return 1 ;; esac
        tries=$((tries + 1))
        [ $tries -lt 50 ] || return 1
        sleep 0.2
    done
}
alone() {
    exec 8</var/lib
    flock 8
}
there() { id -u "$user" >/dev/null 2>&1; }
group_there() { getent group "$user" >/dev/null; }
# useradd writes one list after the other, and may be killed between them.
whole() { there && { [ ! -e "$notes/made" ] || group_there; }; }

user_check() { [ -e "$member" ] && whole; }
user_apply() {
    alone
    mkdir -p "$notes"
    : >"$member"
    if whole; then return; fi
    if there; then
        again groupadd --system --gid "$(id -g "$user")" "$user" || fail "groupadd could not make $user: $said"
        return
    fi
    group=--user-group
    if group_there; then
        [ -e "$notes/made" ] || fail "there is a group $user without such a user: it is not ours"
        group="--gid=$user"
    fi
    : >"$notes/made"
    again useradd --system "$group" --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$user" ||
        fail "useradd could not make $user: $said"
}
user_undo() {
    [ -d "$notes" ] || return 0
    alone
    rm -f "$member"
    if [ -e "$notes/made" ] && [ "$(ls "$notes")" = made ]; then
        if there; then again userdel "$user" || fail "userdel could not remove $user: $said"; fi
        if group_there; then again groupdel "$user" || fail "groupdel could not remove $user: $said"; fi
        rm -f "$notes/made"
    fi
    rmdir "$notes" /var/lib/fraiseql/.users 2>/dev/null || true
}
