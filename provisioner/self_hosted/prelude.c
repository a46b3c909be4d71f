#include "provisioner/self_hosted/prelude.h"

#include "provisioner/self_hosted/step.h"

#define NOTE_MARK "::fraiseql-note "
#define FAIL_MARK "::fraiseql-fail "

/* What the caller's environment has for clients of PostgreSQL is not meant for ours. `as` takes the user's
 * own groups. Only what can be executed may follow it and `region`: another function cannot. */
static const char functions[] =
    "set -eu\ncd /\numask 022\nLC_ALL=C\n"
    "unset CDPATH TMPDIR PGHOST PGHOSTADDR PGPORT PGUSER PGPASSWORD PGPASSFILE PGDATABASE PGSERVICE "
    "PGSERVICEFILE "
    "PGOPTIONS PGSSLMODE PGSSLROOTCERT PGDATA PGTZ PGCONNECT_TIMEOUT\n"
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nexport LC_ALL PATH\n"
    "note() { printf '" NOTE_MARK "%s\\n' \"$*\" >&2; }\n"
    "fail() { printf '" FAIL_MARK "%s\\n' \"$*\" >&2; exit 1; }\n"
    "have() { command -v \"$1\" >/dev/null 2>&1; }\n"
    "in_region() { if [ -n \"$netns\" ]; then nsenter --net=\"/run/netns/$netns\" -- \"$@\"; else \"$@\"; "
    "fi; }\n"
    "region() {\n  if [ \"$1\" = as ]; then _user=$2; shift 2; in_region setpriv --reuid=\"$_user\" "
    "--regid=\"$(id -g \"$_user\")\" --init-groups -- \"$@\"; else in_region \"$@\"; fi\n}\n"
    "as() {\n  if [ \"$2\" = region ]; then _as=$1; shift 2; region as \"$_as\" \"$@\"; else _user=$1; "
    "shift; "
    "setpriv --reuid=\"$_user\" --regid=\"$(id -g \"$_user\")\" --init-groups -- \"$@\"; fi\n}\n";

const char *prelude_script(struct arena *arena, const char *text, const char *netns)
{
    return arena_printf(arena, "netns=%s\n%s%s", step_quote(arena, netns ? netns : ""), functions, text);
}

enum prelude_line prelude_read(struct str line, struct str *ret_text)
{
    *ret_text = line;
    if (str_starts(line, STR(NOTE_MARK))) {
        *ret_text = (struct str){line.ptr + sizeof NOTE_MARK - 1, line.len - (sizeof NOTE_MARK - 1)};
        return LINE_NOTE;
    }
    if (str_starts(line, STR(FAIL_MARK))) {
        *ret_text = (struct str){line.ptr + sizeof FAIL_MARK - 1, line.len - (sizeof FAIL_MARK - 1)};
        return LINE_FAIL;
    }
    return LINE_PLAIN;
}
