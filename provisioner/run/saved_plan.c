#include "provisioner/run/saved_plan.h"

#include "lib/core/crypto.h"
#include "lib/core/file.h"
#include "provisioner/run/hosts.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FILE_MAX     (256UL * 1024 * 1024)
#define MANIFEST_MAX (16UL * 1024 * 1024)
#define FORMAT       3

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static const char *hex_digest(struct str bytes, struct arena *arena)
{
    unsigned char digest[CRYPTO_SHA256_BYTES];
    struct buf text = BUF_INIT(CRYPTO_SHA256_BYTES * 2 + 1);
    crypto_sha256(bytes, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        buf_printf(&text, "%02x", digest[i]);
    const char *copy = arena_strdup(arena, buf_str(&text));
    buf_deinit(&text);
    return copy;
}

static bool is_rendered(const FTSENT *entry)
{
    static const char *const ends[] = {".tf", ".tf.json", ".tftpl", ".sh", ".sql", ".tfvars"};
    struct str name = {entry->fts_name, entry->fts_namelen};
    if (entry->fts_info != FTS_F || strcmp(entry->fts_name, "import.tf.json") == 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        if (str_ends(name, str_from(ends[i])))
            return true;
    }
    return false;
}

/* "path digest" of each file, in the order of their names. */
static int list_files(FTS *tree, size_t skip, struct arena *arena, struct buf *list, struct error *err)
{
    for (FTSENT *entry; (entry = fts_read(tree));) {
        if (entry->fts_info == FTS_D && strcmp(entry->fts_name, ".terraform") == 0)
            (void)fts_set(tree, entry, FTS_SKIP);
        if (!is_rendered(entry))
            continue;
        struct buf bytes = BUF_INIT(FILE_MAX);
        int code = file_read(entry->fts_path, &bytes, err);
        if (!code)
            buf_printf(list, "%s %s\n", entry->fts_path + skip, hex_digest(buf_str(&bytes), arena));
        buf_deinit(&bytes);
        if (code)
            return code;
    }
    return 0;
}

int saved_plan_inputs(const char *folder, struct arena *arena, const char **ret_digest, struct error *err)
{
    char *const paths[] = {arena_strdup(arena, str_from(folder)), NULL};
    struct buf list = BUF_INIT(16UL * 1024 * 1024);
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    if (!tree)
        return error_set_errno(err, errno, "cannot read %s", folder);
    int code = list_files(tree, strlen(folder), arena, &list, err);
    (void)fts_close(tree);
    if (!code)
        *ret_digest = hex_digest(buf_str(&list), arena);
    buf_deinit(&list);
    return code;
}

static int copy_file(const char *from, const char *to, const char **ret_digest, struct arena *arena,
                     struct error *err)
{
    struct buf bytes = BUF_INIT(FILE_MAX);
    int code = file_read(from, &bytes, err);
    if (!code)
        code = file_replace(to, buf_str(&bytes), 0600, err);
    if (!code)
        *ret_digest = hex_digest(buf_str(&bytes), arena);
    buf_deinit(&bytes);
    return code;
}

static const char *file_of(const struct run_root *root, const char *folder)
{
    return arena_printf(root->run->arena, "%s/%s.%s", folder, root->name, root->own ? "steps" : "tfplan");
}

static int write_steps(const struct run_root *root, const char *to, const char **ret_digest,
                       struct error *err)
{
    struct buf lines = BUF_INIT(FILE_MAX);
    hosts_put_plan(root, &lines);
    int code = file_replace(to, buf_str(&lines), 0600, err);
    *ret_digest = hex_digest(buf_str(&lines), root->run->arena);
    buf_deinit(&lines);
    return code;
}

static void write_changes(const struct run_root *root, struct json_writer *json)
{
    json_key(json, "changes");
    json_array_begin(json);
    for (size_t i = 0; !root->own && i < root->change_count; i++) {
        const struct root_change *change = &root->changes[i];
        json_object_begin(json);
        json_kv_text(json, "address", change->address);
        json_kv_text(json, "type", change->type);
        json_kv_text(json, "action", change->action);
        json_kv_text(json, "reason", change->reason);
        json_kv_text(json, "import", change->import_id);
        json_key(json, "attributes");
        json_array_begin(json);
        for (size_t j = 0; j < change->attribute_count; j++)
            json_text(json, change->attributes[j]);
        json_array_end(json);
        json_object_end(json);
    }
    json_array_end(json);
}

static int write_root(struct run *run, const struct run_root *root, const char *folder,
                      struct json_writer *json, struct error *err)
{
    const char *digest = "", *to = file_of(root, folder);
    int code =
        root->own ? write_steps(root, to, &digest, err) : copy_file(root->plan, to, &digest, run->arena, err);
    json_object_begin(json);
    json_kv_text(json, "name", root->name);
    json_kv_text(json, "sha256", digest);
    json_kv_i64(json, "create", root->create);
    json_kv_i64(json, "change", root->update);
    json_kv_i64(json, "replace", root->replace);
    json_kv_i64(json, "destroy", root->destroy);
    json_kv_i64(json, "import", root->import);
    json_kv_bool(json, "restated", root->restated);
    if (!root->own) {
        json_kv_text(json, "lineage", root->lineage);
        json_kv_i64(json, "serial", root->serial);
    }
    write_changes(root, json);
    if (root->unnamed)
        json_kv_text(json, "attributes_unknown", root->unnamed);
    json_object_end(json);
    return code;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "update aws_route53_record.region[0]", sorted. */
static void list_between(const struct run *run, struct string_list *ret_lines)
{
    const struct run_root *root = &run->global;
    size_t count = root->planned ? root->change_count : 0;
    const char **lines = arena_alloc(run->arena, (count + 1) * sizeof *lines);
    for (size_t i = 0; i < count; i++)
        lines[i] = arena_printf(run->arena, "%s %s", root->changes[i].action, root->changes[i].address);
    qsort(lines, count, sizeof *lines, by_text);
    *ret_lines = (struct string_list){count, lines};
}

static void write_between(const struct run *run, struct json_writer *json)
{
    struct string_list lines;
    list_between(run, &lines);
    json_key(json, "between");
    json_array_begin(json);
    for (size_t i = 0; i < lines.count; i++)
        json_text(json, lines.items[i]);
    json_array_end(json);
}

int saved_plan_write(struct run *run, const char *folder, struct error *err)
{
    struct buf text = BUF_INIT(MANIFEST_MAX);
    struct json_writer json;
    const char *inputs = NULL;
    int code = file_make_folder(folder, 0700, err);
    if (!code)
        code = saved_plan_inputs(run->workspace.render, run->arena, &inputs, err);
    json_init(&json, &text);
    json_object_begin(&json);
    json_kv_i64(&json, "format", FORMAT);
    json_kv_text(&json, "name", run->deployment->metadata.name);
    json_kv_text(&json, "deployment_id", run->workspace.id);
    json_kv_text(&json, "inputs", inputs);
    json_key(&json, "roots");
    json_array_begin(&json);
    for (size_t i = 0; !code && i < run->region_count; i++)
        code = write_root(run, &run->regions[i], folder, &json, err);
    json_array_end(&json);
    write_between(run, &json);
    json_object_end(&json);
    if (!code)
        code = file_replace(arena_printf(run->arena, "%s/manifest.json", folder), buf_str(&text), 0600, err);
    buf_deinit(&text);
    return code;
}

/* --- reading
 * -------------------------------------------------------------------------------------------------- */

static int64_t number_of(const struct node *node, const char *key)
{
    int64_t number = 0;
    return str_to_i64(node_text(node, key), &number) ? number : 0;
}

static const char again[] = "Plan again with `fraiseql deploy plan FILE --out P` and look at what it shows";

static int moved(struct error *err, const char *what)
{
    (void)error_set(err, ERR_CONFLICT, "the saved plan no longer holds: %s", what);
    error_set_hint(err, "%s", again);
    return ERR_CONFLICT;
}

static struct run_root *find_root(struct run *run, struct str name)
{
    for (size_t i = 0; i < run->region_count; i++) {
        if (str_equal_text(name, run->regions[i].name))
            return &run->regions[i];
    }
    return NULL;
}

static struct str line_of(struct str *rest)
{
    if (!rest->len)
        return *rest;
    const char *end = memchr(rest->ptr, '\n', rest->len);
    struct str line = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
    size_t used = line.len + (end != NULL);
    rest->ptr += used;
    rest->len -= used;
    return line;
}

/* Its action and its step. */
static struct str words_of(struct str line)
{
    if (!line.len)
        return line;
    const char *first = memchr(line.ptr, ' ', line.len);
    size_t used = first ? (size_t)(first - line.ptr) + 1 : line.len;
    const char *second = memchr(line.ptr + used, ' ', line.len - used);
    return (struct str){line.ptr, second ? (size_t)(second - line.ptr) : line.len};
}

const char *saved_plan_difference(struct str saved, struct str now, struct arena *arena)
{
    while (saved.len || now.len) {
        struct str before = line_of(&saved), after = line_of(&now);
        struct str was = words_of(before), is = words_of(after);
        if (str_equal(before, after))
            continue;
        if (str_equal(was, is))
            return arena_printf(arena, "\"%.*s\" would do something else now", STR_ARGS(is));
        if (!after.len)
            return arena_printf(arena, "\"%.*s\" is not to do any more", STR_ARGS(was));
        return arena_printf(arena, "\"%.*s\" is to do now%s%.*s%s", STR_ARGS(is),
                            before.len ? ", where it had \"" : ", and was not in it", STR_ARGS(was),
                            before.len ? "\"" : "");
    }
    return NULL;
}

/* Planned anew by this run: the same, or refused. */
static int compare_steps_of(const struct run_root *root, struct str saved, struct error *err)
{
    struct buf lines = BUF_INIT(FILE_MAX);
    if (!root->planned)
        return moved(err, arena_printf(root->run->arena, "region %s cannot be planned now", root->name));
    hosts_put_plan(root, &lines);
    const char *difference = saved_plan_difference(saved, buf_str(&lines), root->run->arena);
    buf_deinit(&lines);
    return difference ? moved(err, arena_printf(root->run->arena, "in region %s %s", root->name, difference))
                      : 0;
}

static struct root_change change_of(const struct node *item, struct arena *arena)
{
    const struct node *names = node_member(item, "attributes");
    size_t count = names && names->kind == NODE_SEQUENCE ? names->count : 0;
    const char **attributes = arena_zalloc(arena, (count + 1) * sizeof *attributes);
    for (size_t i = 0; i < count; i++)
        attributes[i] = names->items[i]->kind == NODE_SCALAR ? names->items[i]->scalar.ptr : "";
    return (struct root_change){.address = node_text(item, "address").ptr,
                                .type = node_text(item, "type").ptr,
                                .action = node_text(item, "action").ptr,
                                .reason = node_text(item, "reason").ptr,
                                .import_id = node_text(item, "import").ptr,
                                .attributes = attributes,
                                .attribute_count = count};
}

/* From the manifest: terraform's plan is not read here. What is lost and what is shown hang on it. */
static int take_changes(struct run_root *root, const struct node *item, struct error *err)
{
    const struct node *list = node_member(item, "changes");
    if (!list || list->kind != NODE_SEQUENCE)
        return error_set(err, ERR_PARSE, "the manifest of the saved plan lists no changes of region %s",
                         root->name);
    root->planned = true;
    root->create = number_of(item, "create");
    root->update = number_of(item, "change");
    root->replace = number_of(item, "replace");
    root->destroy = number_of(item, "destroy");
    root->import = number_of(item, "import");
    root->restated = str_equal_text(node_text(item, "restated"), "true");
    root->lineage = node_text(item, "lineage").ptr;
    root->serial = number_of(item, "serial");
    struct str unnamed = node_text(item, "attributes_unknown");
    root->unnamed = unnamed.len ? unnamed.ptr : NULL;
    root->change_count = root->change_capacity = list->count;
    root->changes = arena_zalloc(root->run->arena, (list->count + 1) * sizeof *root->changes);
    for (size_t i = 0; i < list->count; i++)
        root->changes[i] = change_of(list->items[i], root->run->arena);
    return 0;
}

static int take_root(struct run *run, const char *folder, const struct node *item, struct error *err)
{
    struct run_root *root = find_root(run, node_text(item, "name"));
    struct buf bytes = BUF_INIT(FILE_MAX);
    if (!root)
        return moved(err, "it has a region that this run does not have");
    int code = file_read(file_of(root, folder), &bytes, err);
    if (!code && !str_equal_text(node_text(item, "sha256"), hex_digest(buf_str(&bytes), run->arena)))
        code = moved(err, "one of its plan files is not the one that was saved");
    if (!code && root->own)
        code = compare_steps_of(root, buf_str(&bytes), err);
    else if (!code)
        code = file_replace(root->plan, buf_str(&bytes), 0600, err);
    buf_deinit(&bytes);
    if (!code && !root->own)
        code = take_changes(root, item, err);
    return code;
}

static int check_manifest(struct run *run, const struct node *manifest, struct error *err)
{
    const char *inputs = NULL;
    int code = saved_plan_inputs(run->workspace.render, run->arena, &inputs, err);
    if (code)
        return code;
    if (number_of(manifest, "format") != FORMAT)
        return moved(err, "it was saved by another version of this program");
    if (!str_equal_text(node_text(manifest, "deployment_id"), run->workspace.id))
        return moved(err, "it was made for another deployment");
    if (!str_equal_text(node_text(manifest, "inputs"), inputs))
        return moved(err, "the deployment file or this program has changed what is rendered");
    return 0;
}

static int read_between(struct run *run, const struct node *manifest, struct error *err)
{
    const struct node *list = node_member(manifest, "between");
    if (!list || list->kind != NODE_SEQUENCE)
        return error_set(err, ERR_PARSE,
                         "the manifest of the saved plan does not say what lies between regions");
    const char **lines = arena_alloc(run->arena, (list->count + 1) * sizeof *lines);
    for (size_t i = 0; i < list->count; i++)
        lines[i] = list->items[i]->kind == NODE_SCALAR ? list->items[i]->scalar.ptr : "";
    run->saved_between = (struct string_list){list->count, lines};
    return 0;
}

static int read_roots(struct run *run, const char *folder, const struct node *manifest, struct error *err)
{
    int code = check_manifest(run, manifest, err);
    const struct node_pair *roots = code ? NULL : node_find(manifest, "roots");
    if (!code && (!roots || roots->value->kind != NODE_SEQUENCE))
        return error_set(err, ERR_PARSE, "the manifest of the saved plan lists no roots");
    for (size_t i = 0; !code && i < roots->value->count; i++)
        code = take_root(run, folder, roots->value->items[i], err);
    for (size_t i = 0; !code && i < run->region_count; i++) {
        if (!run->regions[i].planned)
            code = moved(err, "it has no plan for a region of this run");
    }
    /* Those on own hosts are planned whether they are in it or not. */
    if (!code && roots->value->count != run->region_count)
        code = moved(err, "it is not of the same regions as this run");
    return code ? code : read_between(run, manifest, err);
}

int saved_plan_read(struct run *run, const char *folder, struct error *err)
{
    struct error trouble = {0};
    const char *path = arena_printf(run->arena, "%s/manifest.json", folder);
    struct buf bytes = BUF_INIT(MANIFEST_MAX);
    struct node *manifest = NULL;
    int code = file_read(path, &bytes, &trouble);
    if (!code)
        code = json_parse(run->arena, buf_str(&bytes), &manifest, &trouble);
    buf_deinit(&bytes);
    if (!code)
        code = read_roots(run, folder, manifest, &trouble);
    /* Cut or damaged: what is wrong with it says nothing of where it lies. */
    if (code == ERR_PARSE) {
        error_set_position(&trouble, path, trouble.line, trouble.column);
        error_set_hint(&trouble, "%s", again);
    }
    *err = trouble;
    return code;
}

/* --- states that have moved
 * ----------------------------------------------------------------------------------- */

static void check_state(struct run_root *root)
{
    const char *lineage = NULL;
    int64_t serial = 0;
    root_prepare(root);
    if (root->failed || !root_wait_for_orphan(root) || run_interrupted(root->run))
        return;
    if (root_mark_state(root, &lineage, &serial, &root->err))
        root->failed = true;
    else if (strcmp(lineage, root->lineage) != 0)
        root_refuse(root, !root->lineage[0] ? "there was none when the plan was made"
                          : !lineage[0]     ? "there is none any more"
                                            : "it is not the one that the plan was made from");
    else if (serial != root->serial)
        root_refuse(root, arena_printf(root->arena, "it had serial %lld, and has %lld now",
                                       (long long)root->serial, (long long)serial));
}

int saved_plan_check(struct run *run)
{
    int status = STATUS_OK;
    run_each_cloud(run, "checking", check_state);
    for (size_t i = 0; i < run->cloud_count; i++) {
        const struct run_root *root = run->cloud_roots[i];
        if (root->failed && status != STATUS_CONFIG)
            status = root->err.code == ERR_CONFLICT ? STATUS_CONFIG : STATUS_FAILURE;
    }
    return run_interrupted(run) ? STATUS_INTERRUPTED : status;
}

int saved_plan_check_between(struct run *run, struct error *err)
{
    struct string_list now;
    const struct string_list *saved = &run->saved_between;
    for (size_t i = 0; i < run->region_count; i++) {
        if (root_changes(&run->regions[i]))
            return 0;
    }
    list_between(run, &now);
    for (size_t i = 0; i < saved->count || i < now.count; i++) {
        const char *before = i < saved->count ? saved->items[i] : NULL;
        const char *after = i < now.count ? now.items[i] : NULL;
        if (!before || !after || strcmp(before, after) != 0)
            return moved(err,
                         arena_printf(run->arena, "between the regions \"%s\" %s", after ? after : before,
                                      after ? "is to do now" : "is not to do any more"));
    }
    return 0;
}
