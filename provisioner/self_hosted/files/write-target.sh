# Where this region's writes go, through HAProxy's runtime socket. Written by fraiseql deploy.
#
#   fraiseql-write-target show          prints the region, or "closed"
#   fraiseql-write-target close         nobody writes: servers are disabled and the sessions on them cut
#   fraiseql-write-target open REGION   closes what was open, then opens REGION, in one command
#
# What it sets is kept in $target, which HAProxy reads when it starts. It is written before anything is opened and
# after everything is closed, so that a machine that stops in between comes back closed rather than wrong.
# Exit codes: 0, 1 HAProxy does not answer or refuses, 64 usage.
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

die() { echo "fraiseql-write-target: $2" >&2; exit "$1"; }

# One line of commands; prints the answer.
ask() {
    perl -MIO::Socket::UNIX -e '
        alarm 10;
        my ($path, $line) = @ARGV;
        my $socket = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!\n";
        print $socket "$line\n";
        $socket->shutdown(1);
        local $/;
        print scalar <$socket>;
    ' "$1" "$2"
}

# A restart finds this; $1: a region, or nothing for none (HAProxy takes no empty value, and no region is named "-").
keep() {
    printf 'global\n    setenv FRAISEQL_WRITE_TARGET %s\n' "${1:--}" >"$target.new"
    chmod 644 "$target.new"
    sync "$target.new" 2>/dev/null || true
    mv -f "$target.new" "$target"
}

kept() { sed -n 's/^    setenv FRAISEQL_WRITE_TARGET \([^-].*\)$/\1/p' "$target" 2>/dev/null || true; }

# A worker that a reload left behind for its sessions knows nothing of the socket: it goes.
end_former_workers() {
    [ -S "$master" ] || return 0
    ask "$master" 'show proc' | while read -r pid kind _; do
        case $kind in worker) [ "$former" = no ] || kill -TERM "$pid" 2>/dev/null || true ;; esac
        case "$pid $kind" in '# old') former=yes ;; esac
    done
}

switch() { # $1: the region to open, or nothing
    line=
    for region in $regions; do
        [ "$region" = "$1" ] || line="${line}disable server write/$region;shutdown sessions server write/$region;"
    done
    [ -z "$1" ] || line="${line}enable server write/$1;"
    [ -S "$socket" ] || return 0 # HAProxy does not run: the file is all there is to change
    answer=$(ask "$socket" "${line%;}") || die 1 "HAProxy does not answer on $socket"
    [ -z "$answer" ] || die 1 "HAProxy refuses: $answer"
}

former=no
exec 9>"$target.lock"
flock -w 30 9 || die 1 "another one is at work"
case "${1:-} $#" in
    "show 1")
        now=$(kept)
        echo "${now:-closed}"
        ;;
    "close 1")
        keep ""
        end_former_workers
        switch ""
        ;;
    "open 2")
        case " $regions " in *" $2 "*) ;; *) die 64 "there is no region $2; there are: $regions" ;; esac
        [ "$(kept)" = "$2" ] || { keep ""; end_former_workers; switch ""; }
        keep "$2"
        switch "$2"
        ;;
    *) die 64 "want show, close, or open REGION" ;;
esac
