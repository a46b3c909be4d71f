#include "provisioner/self_hosted/backups.h"

#include "lib/core/clock.h"
#include "lib/core/json.h"
#include "lib/core/yaml.h"
#include "provisioner/self_hosted/access.h"
#include "provisioner/self_hosted/component.h"
#include "provisioner/self_hosted/host.h"
#include "provisioner/self_hosted/layout.h"
#include "provisioner/self_hosted/pgbackrest.h"
#include "provisioner/self_hosted/step.h"

#define OUT_MAX        (8UL * 1024 * 1024)
#define ASK_TIMEOUT_NS (60 * NS_PER_S)

/* --- asking the host -------------------------------------------------------------------------------------
 */

static int ask(const struct backup_place *place, const struct region *region, const char *function,
               int64_t timeout_ns, struct buf *out)
{
    struct layout layout;
    struct access access;
    int code = layout_make(place->deployment, region, place->arena, &layout, place->err);
    if (!code)
        code = access_open(&access, region, place->err);
    if (code)
        return code;
    const char *functions = pgbackrest_functions(place->arena, &layout);
    const struct host_script script = {
        .text = arena_printf(place->arena,
                             "[ -e %s ] || fail \"backups were not set up here: fraiseql deploy does that, "
                             "unless backup.enabled is false\"\n. %s\n%s\n",
                             functions, functions, function),
        .netns = layout.netns,
        .timeout_ns = timeout_ns};
    code = host_do(access.host, &script, out, place->err);
    access_close(&access);
    return code;
}

static int64_t time_left(const struct backup_place *place)
{
    int64_t left = place->deadline_mono_ns - clock_mono_ns();
    return left > NS_PER_S ? left : NS_PER_S;
}

/* --- the list --------------------------------------------------------------------------------------------
 */

static int64_t wall_ns(struct str text)
{
    int64_t seconds = 0;
    return str_to_i64(text, &seconds) && seconds > 0 && seconds < INT64_MAX / NS_PER_S ? seconds * NS_PER_S
                                                                                       : 0;
}

static struct str line_of(struct str *rest)
{
    const char *end = memchr(rest->ptr, '\n', rest->len);
    size_t length = end ? (size_t)(end - rest->ptr) : rest->len;
    struct str line = {rest->ptr, length};
    rest->ptr += length + (end != NULL);
    rest->len -= length + (end != NULL);
    return line;
}

/* "verified LABEL SECONDS", of the lines before the JSON. */
static int64_t verified_at(struct str lines, struct str label)
{
    int64_t found = 0;
    while (lines.len) {
        struct str line = line_of(&lines);
        static const size_t word = sizeof "verified " - 1;
        if (str_starts(line, STR("verified ")) && line.len > word + label.len + 1 &&
            memcmp(line.ptr + word, label.ptr, label.len) == 0 && line.ptr[word + label.len] == ' ')
            found = wall_ns((struct str){line.ptr + word + label.len + 1, line.len - word - label.len - 1});
    }
    return found;
}

static void add_one(const struct node *node, struct str lines, struct arena *arena, struct backup_list *list)
{
    const struct node *info = node_member(node, "info");
    struct str label = node_text(node, "label"), error = node_text(node, "error");
    struct str name = node_text(node_member(node, "annotation"), "name");
    bool damaged = str_equal(error, STR("true"));
    struct backup backup = {.id = label.ptr,
                            .name = name.len ? name.ptr : "",
                            .kind = node_text(node, "type").len ? node_text(node, "type").ptr : "",
                            .said = damaged ? "damaged" : "done",
                            .state = damaged ? BACKUP_FAILED : BACKUP_DONE,
                            .size_means = "stored",
                            .at_wall_ns = wall_ns(node_text(node_member(node, "timestamp"), "stop")),
                            .verified_wall_ns = verified_at(lines, label)};
    (void)str_to_u64(node_text(node_member(info, "repository"), "delta"), &backup.size_bytes);
    if (label.len)
        (void)backup_list_add(list, &backup, arena);
}

int backups_self_hosted_read(struct str text, struct arena *arena, struct backup_list *ret_list,
                             struct error *err)
{
    struct str rest = text, lines = {text.ptr, 0};
    struct node *root = NULL;
    int64_t since_ns = 0, latest_ns = 0;
    for (struct str line = line_of(&rest); !str_equal(line, STR("info")); line = line_of(&rest)) {
        if (!rest.len)
            return error_set(err, ERR_PARSE, "the host's list of backups ends early");
        if (str_starts(line, STR("since ")))
            since_ns = wall_ns((struct str){line.ptr + 6, line.len - 6});
        else if (str_starts(line, STR("latest ")))
            latest_ns = wall_ns((struct str){line.ptr + 7, line.len - 7});
        lines.len = (size_t)(rest.ptr - lines.ptr);
    }
    int code = json_parse(arena, str_trim(rest), &root, err);
    if (code)
        return error_prefix(err, "pgBackRest's list of backups");
    const struct node *stanza = root->kind == NODE_SEQUENCE && root->count ? root->items[0] : NULL;
    const struct node *backups = node_member(stanza, "backup");
    for (size_t i = 0; backups && backups->kind == NODE_SEQUENCE && i < backups->count; i++)
        add_one(backups->items[i], lines, arena, ret_list);
    /* What was backed up before this region last began to write has a gap behind it. */
    for (size_t i = 0; since_ns && i < ret_list->count; i++) {
        int64_t at_ns = ret_list->items[i].at_wall_ns;
        if (at_ns >= since_ns && (!ret_list->earliest_wall_ns || at_ns < ret_list->earliest_wall_ns))
            ret_list->earliest_wall_ns = at_ns;
    }
    if (ret_list->earliest_wall_ns) {
        ret_list->earliest_wall_ns += NS_PER_S; /* a backup is good for moments after its end */
        ret_list->latest_wall_ns =
            latest_ns > ret_list->earliest_wall_ns ? latest_ns : ret_list->earliest_wall_ns;
    }
    backup_list_sort(ret_list);
    return 0;
}

static int list(const struct backup_place *place, struct backup_list *ret_list)
{
    struct buf out = BUF_INIT(OUT_MAX);
    ret_list->database = arena_printf(place->arena, "the database of %s", place->region->name);
    int code = ask(place, place->region, "list", ASK_TIMEOUT_NS, &out);
    if (!code)
        code = backups_self_hosted_read(str_from(arena_strdup(place->arena, buf_str(&out))), place->arena,
                                        ret_list, place->err);
    buf_deinit(&out);
    return code;
}

/* --- taking ----------------------------------------------------------------------------------------------
 */

static int idle(const struct backup_place *place, const char **ret_why)
{
    struct buf out = BUF_INIT(OUT_MAX);
    int code = ask(place, place->region, "idle", ASK_TIMEOUT_NS, &out);
    const char *said = arena_strdup(place->arena, str_trim(buf_str(&out)));
    *ret_why = !code && strcmp(said, "yes") != 0 ? said : NULL;
    buf_deinit(&out);
    return code;
}

static int take(const struct backup_place *place, const char *name, struct backup *ret_backup)
{
    struct backup_list all = {0};
    struct buf out = BUF_INIT(OUT_MAX);
    const char *function = arena_printf(place->arena, "take %s %s", place->kind ? place->kind : "full",
                                        step_quote(place->arena, name));
    int code = ask(place, place->region, function, time_left(place), &out);
    buf_deinit(&out);
    if (!code)
        code = list(place, &all);
    if (code)
        return code;
    const struct backup *taken = backup_find(&all, name);
    if (!taken)
        return error_set(place->err, ERR_PEER, "pgBackRest took a backup and does not list it");
    *ret_backup = *taken;
    return 0;
}

static int verify(const struct backup_place *place, struct backup *backup)
{
    struct buf out = BUF_INIT(OUT_MAX);
    const char *function = arena_printf(place->arena, "verify %s", step_quote(place->arena, backup->id));
    int code = ask(place, place->region, function, time_left(place), &out);
    if (!code)
        backup->verified_wall_ns = clock_wall_ns();
    buf_deinit(&out);
    return code;
}

/* --- restoring -------------------------------------------------------------------------------------------
 */

/* Two that write would be the end of both. */
static int refuse_second_writer(const struct backup_place *place)
{
    const struct deployment *deployment = place->deployment;
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *other = deployment_region(deployment, i);
        if (other == place->region || !component_runs(other, "postgresql") ||
            !deployment_replicates(deployment, other) || !deployment_replicates(deployment, place->region))
            continue;
        struct buf out = BUF_INIT(OUT_MAX);
        int code = ask(place, other, "if writes; then echo writes; fi", ASK_TIMEOUT_NS, &out);
        bool one_writes = !code && buf_str(&out).len > 0;
        buf_deinit(&out);
        if (code)
            return error_prefix(place->err, "whether region %s writes is not known", other->name);
        if (!one_writes)
            continue;
        code = error_set(place->err, ERR_CONFLICT,
                         "region %s writes: a restore would make a second one that does", other->name);
        error_set_hint(place->err,
                       "`fraiseql deploy` makes a lost copy anew. To go back in time, stop the "
                       "database of %s and restore that",
                       other->name);
        return code;
    }
    return 0;
}

static const char *options_of(const struct backup_place *place, const struct restore_wish *wish)
{
    char at[CLOCK_RFC3339_SIZE];
    if (wish->backup)
        return arena_printf(place->arena, "--set=%s --type=immediate --target-action=promote",
                            step_quote(place->arena, wish->backup->id));
    if (wish->latest)
        return "--type=default";
    clock_format_rfc3339(wish->at_wall_ns, at);
    size_t seconds = sizeof "2026-11-26T10:00:00" - 1;
    const char *end = strchr(at, 'Z');
    return arena_printf(place->arena, "--type=time --target='%.10s %.*s+00' --target-action=promote", at,
                        (int)((end ? (size_t)(end - at) : seconds) - 11), at + 11);
}

static int restore(const struct backup_place *place, const struct restore_wish *wish,
                   struct restored *ret_restored)
{
    struct layout layout;
    struct buf out = BUF_INIT(OUT_MAX);
    int code = refuse_second_writer(place);
    if (!code)
        code = layout_make(place->deployment, place->region, place->arena, &layout, place->err);
    if (!code)
        code = ask(place, place->region,
                   arena_printf(place->arena, "restore %s %s %s", step_quote(place->arena, wish->into),
                                wish->replace ? "yes" : "no", options_of(place, wish)),
                   time_left(place), &out);
    buf_deinit(&out);
    if (code)
        return code;
    *ret_restored =
        (struct restored){.name = arena_printf(place->arena, "the database of %s", place->region->name),
                          .address = layout.address};
    backup_say(&ret_restored->next, place->arena,
               "`fraiseql deploy` makes the other regions follow it, and opens writes to it.");
    if (wish->replace)
        backup_say(&ret_restored->next, place->arena,
                   "What was there before lies beside it, in %s/postgresql.replaced-*.", layout.data);
    return 0;
}

const struct provider_backups backups_self_hosted = {
    .list = list, .take = take, .restore = restore, .in_place = true, .idle = idle, .verify = verify};
