/* Debian packages as a step. Daemons that packages bring are kept from starting (policy-rc.d), and
 * PostgreSQL's from making a cluster nobody asked for; both files are gone again afterwards. */
#include "provisioner/self_hosted/component.h"

#define TEXT_MAX (64UL * 1024)

/* Debian 13 has libraries under a further name that ends in t64 (64-bit time); apt knows them by the old one
 * too. */
#define INSTALLED                                                                                            \
    "installed() {\n  dpkg-query -W -f='${db:Status-Status}\\n' \"$1\" \"${1}t64\" 2>/dev/null | "           \
    "grep -qx installed\n}\n"

static const char script[] = INSTALLED
    "missing=\nfor package in $packages; do\n"
    "  installed \"$package\" || missing=\"$missing $package\"\ndone\n[ -n \"$missing\" ] || exit 0\n"
    "have apt-get || fail \"install$missing: this host has no apt-get to do it by\"\n"
    "exec 8</var/lib/dpkg\nflock -w 600 8\n"
    "policy=\ncluster=\ntidy() { [ -z \"$policy\" ] || rm -f \"$policy\"; [ -z \"$cluster\" ] || rm -f "
    "\"$cluster\"; }\ntrap tidy EXIT\n"
    "if [ ! -e /usr/sbin/policy-rc.d ]; then\n  policy=/usr/sbin/policy-rc.d\n"
    "  printf '#!/bin/sh\\nexit 101\\n' > \"$policy\"\n  chmod 755 \"$policy\"\nfi\n"
    "if [ ! -e /etc/postgresql-common/createcluster.conf ]; then\n"
    "  cluster=/etc/postgresql-common/createcluster.conf\n  mkdir -p /etc/postgresql-common\n"
    "  printf 'create_main_cluster = false\\n' > \"$cluster\"\nfi\n"
    "note \"installing$missing\"\n"
    "get() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o "
    "Dpkg::Options::=--force-confold \"$@\" </dev/null >/dev/null 8>&-; }\n"
    "get install --no-install-recommends $missing || { get update && get install --no-install-recommends "
    "$missing; } ||\n  fail \"apt-get could not install$missing\"\n";

void step_packages(struct step_list *list, const struct site *site, const char *id,
                   const char *const *packages)
{
    step_packages_unless(list, site, id, packages, NULL);
}

void step_packages_unless(struct step_list *list, const struct site *site, const char *id,
                          const char *const *packages, const char *program)
{
    const char *there = program ? arena_printf(list->arena, "[ ! -x %s ] || exit 0\n", program) : "";
    struct buf names = BUF_INIT(TEXT_MAX);
    for (size_t i = 0; packages[i]; i++)
        buf_printf(&names, "%s%s", i ? " " : "", packages[i]);
    const char *quoted = step_quote(list->arena, buf_text(&names));
    struct host_step *step =
        step_add(list, STAGE_HOST, id, arena_printf(list->arena, "install %s", buf_text(&names)));
    step->check =
        arena_printf(list->arena, "%s%sfor package in %s; do installed \"$package\" || exit 1; done\n",
                     there, INSTALLED, buf_text(&names));
    step->apply = arena_printf(list->arena, "%spackages=%s\n%s", there, quoted, script);
    step->timeout_ns = 1200 * NS_PER_S;
    buf_deinit(&names);
    (void)site;
}
