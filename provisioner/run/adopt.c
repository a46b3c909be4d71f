#include "provisioner/run/adopt.h"

#include "lib/core/file.h"
#include "provisioner/provider.h"
#include "provisioner/render/render.h"

#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#define ID_TAG       "fraiseql-deployment-id"
#define LISTING_FILE "listing.tf.json"
#define IMPORT_FILE  "import.tf.json"

bool adopt_is_conflict(const struct root_problem *problem)
{
    static const char *const words[] = {"already exist",   "alreadyexist",      "alreadyowned",  ".duplicate",
                                        "duplicatelisten", "is already",        "duplicateload", "error 409",
                                        "alreadyinuse",    "in use by another", "entityalready"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasestr(problem->summary, words[i]) || strcasestr(problem->detail, words[i]))
            return true;
    }
    return false;
}

bool adopt_is_gone(const struct root_problem *problem)
{
    static const char *const words[] = {"non-existent remote object", "not found", "couldn't find",
                                        "does not exist", "notfound"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasestr(problem->summary, words[i]) || strcasestr(problem->detail, words[i]))
            return true;
    }
    return false;
}

const char *adopt_id_in_text(const char *text, struct arena *arena)
{
    static const char before[] = "resource with the ID \"";
    const char *start = strstr(text, before);
    const char *end = start ? strchr(start + sizeof before - 1, '"') : NULL;
    if (!end || end == start + sizeof before - 1 || !strstr(end, "already exists"))
        return NULL;
    start += sizeof before - 1;
    return arena_strdup(arena, (struct str){start, (size_t)(end - start)});
}

void adopt_write(const struct adoptions *list, struct buf *out)
{
    struct json_writer json;
    json_init(&json, out);
    json_object_begin(&json);
    json_key(&json, "import");
    json_array_begin(&json);
    for (size_t i = 0; i < list->count; i++) {
        json_object_begin(&json);
        json_kv_text(&json, "to", list->items[i].address);
        /* An id is the cloud's word: a template in it would be evaluated. */
        render_kv(&json, "id", list->items[i].import_id);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    buf_append_byte(out, '\n');
}

int adopt_owner(const struct node *before, const char *deployment_id)
{
    static const char *const holders[] = {"tags_all",    "tags", "effective_labels", "labels",
                                          "user_labels", "tag",  "terraform_labels"};
    bool taggable = false;
    for (size_t i = 0; i < ARRAY_LEN(holders); i++) {
        const struct node *holder = node_member(before, holders[i]);
        taggable = taggable || holder;
        if (str_equal_text(node_text(holder, ID_TAG), deployment_id))
            return 1;
    }
    return taggable ? -1 : 0;
}

/* The first id for an address counts. */
static void add(struct run_root *root, const char *address, const char *id)
{
    struct adoptions *list = &root->adoptions;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].address, address) == 0)
            return;
    }
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 32;
        struct adoption *items = arena_alloc(root->arena, capacity * sizeof *items);
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = (struct adoption){address, id};
}

static const char *file_of(const struct run_root *root, const char *name)
{
    return arena_printf(root->arena, "%s/%s", root->folder, name);
}

static int save(struct run_root *root)
{
    struct buf text = BUF_INIT(16UL * 1024 * 1024);
    adopt_write(&root->adoptions, &text);
    int code = file_replace(file_of(root, IMPORT_FILE), buf_str(&text), 0600, &root->err);
    buf_deinit(&text);
    return code;
}

void adopt_forget(const struct run_root *root)
{
    (void)unlink(file_of(root, IMPORT_FILE));
    (void)unlink(file_of(root, LISTING_FILE));
}

static const struct root_change *planned_creation(const struct run_root *root, const char *address)
{
    for (size_t i = 0; i < root->change_count; i++) {
        if (strcmp(root->changes[i].address, address) == 0)
            return strcmp(root->changes[i].action, "create") == 0 ? &root->changes[i] : NULL;
    }
    return NULL;
}

/* --- what terraform show says of a plan
 * ----------------------------------------------------------------------- */

static int show_plan(struct run_root *root, const struct node **ret_document, const struct node **ret_changes)
{
    return root_show_plan(root, root->arena, ret_document, ret_changes, &root->err);
}

static const struct node *find_change(const struct node *changes, const char *address)
{
    for (size_t i = 0; i < changes->count; i++) {
        if (str_equal_text(node_text(changes->items[i], "address"), address))
            return changes->items[i];
    }
    return NULL;
}

/* What a resource without tags belongs to cannot be seen. It counts as ours where an earlier run of ours was
 * cut short, since its name is made from this deployment's. */
static bool may_be_ours(const struct run_root *root, int owner)
{
    return owner > 0 || (owner == 0 && (root_was_interrupted(root) || root->run->resumed));
}

int adopt_check(struct run_root *root)
{
    const struct node *changes = NULL;
    int code = show_plan(root, NULL, &changes);
    for (size_t i = 0; !code && i < changes->count; i++) {
        const struct node *change = node_member(changes->items[i], "change");
        if (!node_member(change, "importing"))
            continue;
        if (may_be_ours(root, adopt_owner(node_member(change, "before"), root->run->workspace.id)))
            continue;
        struct str address = node_text(changes->items[i], "address");
        struct str id = node_text(node_member(change, "importing"), "id");
        code =
            error_set(&root->err, ERR_CONFLICT,
                      "%s: %.*s exists (%.*s) and is not this deployment's: it does not carry the tag " ID_TAG
                      " with %s",
                      root->name, STR_ARGS(address), STR_ARGS(id), root->run->workspace.id);
        error_set_hint(&root->err, "Nothing of it was touched. Remove or rename it, or give this deployment "
                                   "another metadata.name");
    }
    if (code)
        adopt_forget(root);
    return code;
}

static const char *import_id_of(struct run_root *root, const struct root_problem *problem,
                                const struct node *changes)
{
    const char *id = adopt_id_in_text(problem->summary, root->arena);
    if (!id)
        id = adopt_id_in_text(problem->detail, root->arena);
    const struct node *change = id ? NULL : find_change(changes, problem->address);
    if (change && root->region && root->region->provider->import_id) {
        struct str type = node_text(change, "type");
        id = root->region->provider->import_id(type.ptr, node_member(node_member(change, "change"), "after"),
                                               root->arena);
    }
    return id;
}

static bool is_conflict_at_address(const struct root_problem *problem)
{
    return problem->address[0] && adopt_is_conflict(problem);
}

bool adopt_conflicts(struct run_root *root)
{
    const struct node *changes = NULL;
    struct error first = root->err;
    size_t before = root->adoptions.count;
    size_t conflicts = 0;
    for (size_t i = 0; i < root->problem_count; i++)
        conflicts += is_conflict_at_address(&root->problems[i]);
    if (!conflicts || show_plan(root, NULL, &changes)) {
        root->err = first;
        return false;
    }
    for (size_t i = 0; i < root->problem_count; i++) {
        const char *id = is_conflict_at_address(&root->problems[i])
                             ? import_id_of(root, &root->problems[i], changes)
                             : NULL;
        if (id)
            add(root, root->problems[i].address, id);
    }
    /* Without one new import block another round would end the same way. */
    if (root->adoptions.count > before && save(root) == 0)
        return true;
    root->err = first;
    return false;
}

/* --- what the cloud lists
 * -------------------------------------------------------------------------------------- */

static int write_listing(struct run_root *root, const struct provider_listing *listing)
{
    const struct node *changes = NULL;
    struct buf text = BUF_INIT(16UL * 1024 * 1024);
    struct json_writer json;
    int code = show_plan(root, NULL, &changes);
    if (code)
        return code;
    json_init(&json, &text);
    json_object_begin(&json);
    json_key(&json, "data");
    json_object_begin(&json);
    listing->render(root->run->workspace.id, root->region, changes, &json);
    json_object_end(&json);
    json_object_end(&json);
    code = file_replace(file_of(root, LISTING_FILE), buf_str(&text), 0600, &root->err);
    buf_deinit(&text);
    return code;
}

/* Import blocks for what is listed and would be created. */
static int adopt_listed(struct run_root *root, const struct provider_listing *listing)
{
    const struct node *document = NULL, *changes = NULL;
    struct listed_resource *list = NULL;
    size_t count = 0;
    int code = show_plan(root, &document, &changes);
    if (code)
        return code;
    const struct node *values = node_member(node_member(document, "prior_state"), "values");
    listing->read(node_member(node_member(values, "root_module"), "resources"), root->arena, &list, &count);
    for (size_t i = 0; i < count; i++) {
        if (planned_creation(root, list[i].address))
            add(root, list[i].address, list[i].import_id);
    }
    return 0;
}

/* A cloud lists for a while what is gone: its import is refused, and it is created. True when there was one.
 */
static bool drop_gone(struct run_root *root)
{
    struct adoptions *list = &root->adoptions;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        bool gone = false;
        for (size_t j = 0; j < root->problem_count; j++) {
            const struct root_problem *problem = &root->problems[j];
            gone =
                gone || (adopt_is_gone(problem) && (strcmp(problem->address, list->items[i].address) == 0 ||
                                                    strstr(problem->detail, list->items[i].address) ||
                                                    strstr(problem->detail, list->items[i].import_id)));
        }
        if (!gone)
            list->items[kept++] = list->items[i];
    }
    bool any = kept < list->count;
    list->count = kept;
    return any;
}

static void plan_with_listed(struct run_root *root)
{
    for (unsigned round = 0; round < ADOPT_ROUNDS_MAX; round++) {
        if (save(root)) {
            root->failed = true;
            return;
        }
        root->failed = false;
        root_plan(root);
        if (!root->failed || !drop_gone(root))
            break;
    }
    if (!root->failed && adopt_check(root))
        root->failed = true;
}

/* True when the plan failed because of the listing. */
static bool listing_failed(struct run_root *root)
{
    for (size_t i = 0; root->failed && i < root->problem_count; i++) {
        if (strstr(root->problems[i].address, PROVIDER_LISTING)) {
            root->unlisted = root->problems[i].summary;
            return true;
        }
    }
    return false;
}

void adopt_plan(struct run_root *root)
{
    const struct provider_listing *listing = root->region ? root->region->provider->listing : NULL;
    root_plan(root);
    if (root->failed || !root->create || !listing)
        return;
    if (write_listing(root, listing)) {
        root->failed = true;
        return;
    }
    root_plan(root);
    (void)unlink(file_of(root, LISTING_FILE));
    bool unlisted = listing_failed(root);
    if (!root->failed && adopt_listed(root, listing))
        root->failed = true;
    if (unlisted || (!root->failed && !root->adoptions.count)) {
        /* The plan that is kept is one without the listing. */
        root->failed = false;
        root_plan(root);
    } else if (!root->failed) {
        plan_with_listed(root);
    }
}
