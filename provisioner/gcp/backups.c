#include "provisioner/gcp/backups.h"

#include "lib/cloud/google_signin.h"
#include "lib/core/clock.h"
#include "lib/net/retry.h"
#include "provisioner/cloud_json.h"
#include "provisioner/gcp/credentials.h"
#include "provisioner/render/render.h"

#define SQL_URL     "https://sqladmin.googleapis.com/sql/v1beta4/"
#define PAGE_SIZE   "100"
#define SEND_TRIES  4U
#define INSERT_BODY (256UL * 1024)

struct sql {
    struct cloud_json cloud;
    const struct backup_place *place;
    const char *project, *instances; /* URL of the instances */
    const char *base,
        *database; /* what the module's name begins with; name of the one that runs, once found */
};

/* --- reading -------------------------------------------------------------------------------------------- */

static int64_t time_of(const struct node *node, const char *member)
{
    int64_t wall_ns;
    return clock_parse_rfc3339(node_text(node, member), &wall_ns) ? wall_ns : 0;
}

static enum backup_state state_of(struct str status)
{
    if (str_equal(status, STR("SUCCESSFUL")))
        return BACKUP_DONE;
    if (str_equal(status, STR("ENQUEUED")) || str_equal(status, STR("RUNNING")))
        return BACKUP_UNDER_WAY;
    return BACKUP_FAILED;
}

static bool add_run(const struct node *run, struct backup_list *list, struct arena *arena)
{
    struct str id = node_text(run, "id"), status = node_text(run, "status");
    uint64_t number, size = 0;
    if (!str_to_u64(id, &number) || str_equal(status, STR("DELETED")))
        return true;
    (void)str_to_u64(node_text(run, "maxChargeableBytes"), &size);
    const struct backup backup = {
        .id = id.ptr,
        .name = node_text(run, "description").ptr,
        .kind = str_equal(node_text(run, "type"), STR("ON_DEMAND")) ? "manual" : "automated",
        .said = status.ptr,
        .state = state_of(status),
        .size_bytes = size,
        .size_means = "stored",
        /* What it holds is the disk as it was when the backup began. */
        .at_wall_ns = state_of(status) == BACKUP_DONE ? time_of(run, "startTime") : 0,
    };
    return backup_list_add(list, &backup, arena);
}

int gcp_backups_read(const struct node *root, struct backup_list *list, struct arena *arena,
                     const char **ret_next, struct error *err)
{
    const struct node *items = node_member(root, "items"); /* none: there is nothing */
    struct str next = node_text(root, "nextPageToken");
    *ret_next = NULL;
    if (!root || root->kind != NODE_MAPPING || (items && items->kind != NODE_SEQUENCE))
        return error_set(err, ERR_PEER, "Cloud SQL answered with something else than a list of backups");
    for (size_t i = 0; items && i < items->count; i++) {
        if (!add_run(items->items[i], list, arena))
            return error_set(err, ERR_LIMIT, "Cloud SQL lists more than %u backups", BACKUPS_MAX);
    }
    if (next.len)
        *ret_next = next.ptr;
    return 0;
}

/* --- asking --------------------------------------------------------------------------------------------- */

static int open_sql(struct sql *sql, const struct backup_place *place)
{
    const char *base = NULL;
    char name[RENDER_NAME_MAX + 1];
    *sql = (struct sql){.cloud = {.service = "Cloud SQL",
                                  .arena = place->arena,
                                  .deadline_mono_ns = place->deadline_mono_ns,
                                  .err = place->err},
                        .place = place,
                        .project = gcp_project_of(place->region)};
    if (!sql->project)
        return error_set(place->err, ERR_CONFIG, "no project is named");
    int code = cloud_json_base("GOOGLE_SQL_CUSTOM_ENDPOINT", SQL_URL, place->arena, &base, place->err);
    if (code)
        return code;
    sql->instances = arena_printf(place->arena, "%s/projects/%s/instances", base,
                                  cloud_json_escape(sql->project, place->arena));
    sql->base = arena_strdup(place->arena, str_from(render_name(place->deployment, place->region, name)));
    return cloud_json_open(&sql->cloud, google_signin_new(GOOGLE_SCOPE_ALL));
}

static bool is_ours(const struct sql *sql, const struct node *instance)
{
    const struct node *labels = node_member(node_member(instance, "settings"), "userLabels");
    return str_equal_text(node_text(labels, BACKUP_LABEL), sql->place->deployment->metadata.name);
}

/* *ret_instance NULL: there is none. */
static int get_instance(struct sql *sql, const char *name, const struct node **ret_instance)
{
    struct cloud_json_answer answer;
    int code =
        cloud_json_call(&sql->cloud, "GET", arena_printf(sql->cloud.arena, "%s/%s", sql->instances, name),
                        STR(""), false, &answer);
    *ret_instance = NULL;
    if (code || answer.status == 404)
        return code;
    if (!node_text(answer.root, "name").len)
        return error_set(sql->cloud.err, ERR_PEER, "Cloud SQL answered with something else than an instance");
    *ret_instance = answer.root;
    return 0;
}

/* The module's name for it: that of the region, a dash, and a mark of six digits (module/main.tf,
 * local.mark). Labels alone do not tell: a clone has those of what it was cloned from. */
static bool is_source(const struct sql *sql, const struct node *instance)
{
    struct str name = node_text(instance, "name");
    size_t base = strlen(sql->base);
    return is_ours(sql, instance) && name.len == base + 7 && strncmp(name.ptr, sql->base, base) == 0 &&
           name.ptr[base] == '-' && strspn(name.ptr + base + 1, "0123456789abcdef") == 6;
}

static int take_source(struct sql *sql, const struct node *page, const struct node **ret_instance)
{
    const struct node *items = node_member(page, "items");
    if (!page || page->kind != NODE_MAPPING)
        return error_set(sql->cloud.err, ERR_PEER, "Cloud SQL answered with something else than instances");
    for (size_t i = 0; items && items->kind == NODE_SEQUENCE && i < items->count; i++) {
        if (!is_source(sql, items->items[i]))
            continue;
        if (*ret_instance)
            return error_set(sql->cloud.err, ERR_CONFLICT,
                             "the Cloud SQL instances %s and %s both look like the region's own",
                             sql->database, node_text(items->items[i], "name").ptr);
        *ret_instance = items->items[i];
        sql->database = node_text(*ret_instance, "name").ptr;
    }
    return 0;
}

static int get_source(struct sql *sql, const struct node **ret_instance)
{
    struct str next = {0};
    *ret_instance = NULL;
    for (unsigned pages = 0; pages < BACKUP_PAGES_MAX; pages++) {
        struct cloud_json_answer answer;
        const char *url = arena_printf(sql->cloud.arena, "%s?maxResults=" PAGE_SIZE "%s%s", sql->instances,
                                       next.len ? "&pageToken=" : "",
                                       next.len ? cloud_json_escape(next.ptr, sql->cloud.arena) : "");
        int code = cloud_json_must(&sql->cloud, "GET", url, STR(""), &answer);
        if (!code)
            code = take_source(sql, answer.root, ret_instance);
        if (code)
            return code;
        next = node_text(answer.root, "nextPageToken");
        if (next.len)
            continue;
        if (*ret_instance)
            return 0;
        return error_set(sql->cloud.err, ERR_PEER,
                         "project %s has no Cloud SQL instance %s-* of this deployment (label " BACKUP_LABEL
                         "=%s)",
                         sql->project, sql->base, sql->place->deployment->metadata.name);
    }
    return error_set(sql->cloud.err, ERR_LIMIT, "Cloud SQL lists its instances on more than %u pages",
                     BACKUP_PAGES_MAX);
}

static int list_runs(struct sql *sql, struct backup_list *list)
{
    const char *next = NULL;
    for (unsigned pages = 0; pages < BACKUP_PAGES_MAX; pages++) {
        struct cloud_json_answer answer;
        const char *url = arena_printf(sql->cloud.arena, "%s/%s/backupRuns?maxResults=" PAGE_SIZE "%s%s",
                                       sql->instances, sql->database, next ? "&pageToken=" : "",
                                       next ? cloud_json_escape(next, sql->cloud.arena) : "");
        int code = cloud_json_must(&sql->cloud, "GET", url, STR(""), &answer);
        if (!code)
            code = gcp_backups_read(answer.root, list, sql->cloud.arena, &next, sql->cloud.err);
        if (code || !next)
            return code;
    }
    return error_set(sql->cloud.err, ERR_LIMIT, "Cloud SQL lists its backups on more than %u pages",
                     BACKUP_PAGES_MAX);
}

/* Where point-in-time recovery is off Google refuses to name one: then there is no window. */
static int find_window(struct sql *sql, const struct node *instance, struct backup_list *list)
{
    const struct node *settings = node_member(node_member(instance, "settings"), "backupConfiguration");
    struct cloud_json_answer answer;
    if (!str_equal(node_text(settings, "pointInTimeRecoveryEnabled"), STR("true")))
        return 0;
    int code = cloud_json_call(
        &sql->cloud, "GET",
        arena_printf(sql->cloud.arena, "%s/%s/getLatestRecoveryTime", sql->instances, sql->database), STR(""),
        false, &answer);
    if (code || !answer.root)
        return code;
    list->earliest_wall_ns = time_of(answer.root, "earliestRecoveryTime");
    list->latest_wall_ns = time_of(answer.root, "latestRecoveryTime");
    return 0;
}

static int list_backups(const struct backup_place *place, struct backup_list *ret_list)
{
    struct sql sql;
    const struct node *instance = NULL;
    *ret_list = (struct backup_list){0};
    int code = open_sql(&sql, place);
    if (!code)
        code = get_source(&sql, &instance);
    ret_list->database = sql.database;
    if (!code)
        code = list_runs(&sql, ret_list);
    if (!code)
        code = find_window(&sql, instance, ret_list);
    backup_list_sort(ret_list);
    cloud_json_close(&sql.cloud);
    return code;
}

/* --- taking --------------------------------------------------------------------------------------------- */

static int find_run(struct sql *sql, const char *name, const struct backup **ret_run)
{
    struct backup_list list = {.database = sql->database};
    int code = list_runs(sql, &list);
    *ret_run = NULL;
    for (size_t i = 0; !code && i < list.count; i++) {
        if (strcmp(list.items[i].name, name) == 0)
            *ret_run = &list.items[i];
    }
    return code;
}

/* Sent twice it would be two backups: after a doubtful end the list is looked at before it is sent again. */
static int send_run(struct sql *sql, const char *name, const struct backup **ret_run)
{
    struct buf body = BUF_INIT(4096);
    struct json_writer json;
    struct cloud_json_answer answer;
    json_init(&json, &body);
    json_object_begin(&json);
    json_kv_text(&json, "description", name);
    json_object_end(&json);
    const char *url = arena_printf(sql->cloud.arena, "%s/%s/backupRuns", sql->instances, sql->database);
    int code = 0;
    for (unsigned tries = 1; !code && !*ret_run; tries++) {
        code = cloud_json_call(&sql->cloud, "POST", url, buf_str(&body), true, &answer);
        if (!code && answer.status != 404 && answer.status != 409)
            break;
        bool again = code ? retry_code_passes(code) : answer.status == 409; /* 409: another operation runs */
        if (!code)
            code = cloud_json_refusal(&sql->cloud, &answer);
        if (!again || tries == SEND_TRIES ||
            !retry_sleep(tries,
                         retry_after_ns(answer.response.retry_after, clock_wall_ns(), RETRY_AFTER_MAX_NS),
                         sql->cloud.deadline_mono_ns))
            break;
        error_clear(sql->cloud.err);
        code = find_run(sql, name, ret_run);
    }
    buf_deinit(&body);
    return code;
}

static int take_backup(const struct backup_place *place, const char *name, struct backup *ret_backup)
{
    struct sql sql;
    const struct node *instance = NULL;
    const struct backup *run = NULL;
    int code = open_sql(&sql, place);
    if (!code)
        code = get_source(&sql, &instance);
    if (!code)
        code = find_run(&sql, name, &run);
    if (!code && !run)
        code = send_run(&sql, name, &run);
    for (unsigned looks = 0; !code && (!run || run->state == BACKUP_UNDER_WAY); looks++) {
        code = backup_pause(looks, place->deadline_mono_ns, name, place->err);
        if (!code)
            code = find_run(&sql, name, &run);
    }
    if (!code && run->state == BACKUP_FAILED)
        code =
            error_set(place->err, ERR_PEER, "Cloud SQL says of backup %s (%s): %s", run->id, name, run->said);
    if (!code)
        *ret_backup = *run;
    cloud_json_close(&sql.cloud);
    return code;
}

/* --- restoring ------------------------------------------------------------------------------------------ */

static void write_settings(struct json_writer *json, const struct node *settings, const char *origin)
{
    const struct node *labels = node_member(settings, "userLabels");
    json_object_begin(json);
    for (size_t i = 0; i < settings->count; i++) {
        const char *key = settings->pairs[i].key.ptr;
        if (strcmp(key, "settingsVersion") == 0 || strcmp(key, "kind") == 0 || strcmp(key, "userLabels") == 0)
            continue;
        json_key(json, key);
        json_node(json, settings->pairs[i].value);
    }
    json_key(json, "userLabels");
    json_object_begin(json);
    for (size_t i = 0; labels && labels->kind == NODE_MAPPING && i < labels->count; i++) {
        /* Two with one address would be one resource of the module. */
        if (strcmp(labels->pairs[i].key.ptr, "fraiseql-address") == 0 ||
            strcmp(labels->pairs[i].key.ptr, BACKUP_ORIGIN) == 0)
            continue;
        json_key(json, labels->pairs[i].key.ptr);
        json_node(json, labels->pairs[i].value);
    }
    json_kv_text(json, BACKUP_ORIGIN, origin);
    json_object_end(json);
    json_object_end(json);
}

int gcp_backups_copy(const struct node *source, const char *name, const char *origin, struct buf *out,
                     struct error *err)
{
    const struct node *settings = node_member(source, "settings");
    const struct node *key = node_member(source, "diskEncryptionConfiguration");
    struct json_writer json;
    if (!settings || settings->kind != NODE_MAPPING || !node_text(source, "databaseVersion").len)
        return error_set(err, ERR_PEER, "Cloud SQL answered with an instance without settings");
    json_init(&json, out);
    json_object_begin(&json);
    json_kv_text(&json, "name", name);
    json_kv_str(&json, "region", node_text(source, "region"));
    json_kv_str(&json, "databaseVersion", node_text(source, "databaseVersion"));
    if (key && key->kind == NODE_MAPPING) {
        json_key(&json, "diskEncryptionConfiguration");
        json_node(&json, key);
    }
    json_key(&json, "settings");
    write_settings(&json, settings, origin);
    json_object_end(&json);
    return 0;
}

static int wait_runnable(struct sql *sql, const char *name, const struct node **ret_instance)
{
    for (unsigned looks = 0;; looks++) {
        int code = get_instance(sql, name, ret_instance);
        if (code)
            return code;
        struct str state = node_text(*ret_instance, "state");
        if (str_equal(state, STR("RUNNABLE")))
            return 0;
        if (str_equal(state, STR("FAILED")) || str_equal(state, STR("SUSPENDED")))
            return error_set(sql->cloud.err, ERR_PEER, "Cloud SQL says of instance %s: %s", name, state.ptr);
        code = backup_pause(looks, sql->cloud.deadline_mono_ns, name, sql->cloud.err);
        if (code)
            return code;
    }
}

/* What the operations of an instance say of a restore into it: NULL when there was none. */
static int find_restore(struct sql *sql, const char *name, const struct node **ret_operation)
{
    struct cloud_json_answer answer;
    struct str instances = str_from(sql->instances);
    instances.len -= sizeof "/instances" - 1;
    *ret_operation = NULL;
    int code =
        cloud_json_must(&sql->cloud, "GET",
                        arena_printf(sql->cloud.arena, "%.*s/operations?instance=%s&maxResults=" PAGE_SIZE,
                                     STR_ARGS(instances), name),
                        STR(""), &answer);
    const struct node *items = node_member(answer.root, "items");
    for (size_t i = 0; !code && items && items->kind == NODE_SEQUENCE && i < items->count; i++) {
        if (!*ret_operation && str_equal(node_text(items->items[i], "operationType"), STR("RESTORE_VOLUME")))
            *ret_operation = items->items[i];
    }
    return code;
}

static int send_restore(struct sql *sql, const struct restore_wish *wish)
{
    struct buf body = BUF_INIT(4096);
    struct json_writer json;
    struct cloud_json_answer answer;
    json_init(&json, &body);
    json_object_begin(&json);
    json_key(&json, "restoreBackupContext");
    json_object_begin(&json);
    json_kv_text(&json, "backupRunId", wish->backup->id);
    json_kv_text(&json, "instanceId", sql->database);
    json_kv_text(&json, "project", sql->project);
    json_object_end(&json);
    json_object_end(&json);
    /* A second one would write the same once more into an instance that nobody uses yet. */
    int code =
        cloud_json_must(&sql->cloud, "POST",
                        arena_printf(sql->cloud.arena, "%s/%s/restoreBackup", sql->instances, wish->into),
                        buf_str(&body), &answer);
    buf_deinit(&body);
    return code;
}

static int fill_instance(struct sql *sql, const struct restore_wish *wish)
{
    const struct node *operation = NULL;
    int code = find_restore(sql, wish->into, &operation);
    if (!code && !operation)
        code = send_restore(sql, wish);
    for (unsigned looks = 0; !code && !str_equal(node_text(operation, "status"), STR("DONE")); looks++) {
        code = backup_pause(looks, sql->cloud.deadline_mono_ns, wish->into, sql->cloud.err);
        if (!code)
            code = find_restore(sql, wish->into, &operation);
    }
    const struct node *errors = node_member(node_member(operation, "error"), "errors");
    if (!code && errors && errors->kind == NODE_SEQUENCE && errors->count)
        code = error_set(sql->cloud.err, ERR_PEER, "Cloud SQL could not restore backup %s into %s: %.200s",
                         wish->backup->id, wish->into, node_text(errors->items[0], "message").ptr);
    return code;
}

static int make_instance(struct sql *sql, const struct restore_wish *wish, const struct node *source)
{
    struct buf body = BUF_INIT(INSERT_BODY);
    struct json_writer json;
    struct cloud_json_answer answer;
    const char *url = sql->instances;
    int code = 0;
    if (wish->backup) {
        code = gcp_backups_copy(source, wish->into, wish->backup->id, &body, sql->cloud.err);
    } else {
        url = arena_printf(sql->cloud.arena, "%s/%s/clone", sql->instances, sql->database);
        json_init(&json, &body);
        json_object_begin(&json);
        json_key(&json, "cloneContext");
        json_object_begin(&json);
        json_kv_text(&json, "destinationInstanceName", wish->into);
        json_key(&json, "pointInTime");
        json_time(&json, wish->at_wall_ns);
        json_object_end(&json);
        json_object_end(&json);
    }
    if (!code) /* by its name a second one is refused */
        code = cloud_json_call(&sql->cloud, "POST", url, buf_str(&body), false, &answer);
    if (!code && answer.status == 404)
        code = cloud_json_refusal(&sql->cloud, &answer);
    buf_deinit(&body);
    return code;
}

static const char *address_of(const struct node *instance)
{
    const struct node *list = node_member(instance, "ipAddresses");
    return list && list->kind == NODE_SEQUENCE && list->count ? node_text(list->items[0], "ipAddress").ptr
                                                              : "";
}

static void say_next(struct sql *sql, const struct restore_wish *wish, struct restored *restored)
{
    struct arena *arena = sql->cloud.arena;
    struct string_list *next = &restored->next;
    backup_say(next, arena, "look at it: %s%s, database fraiseql, with the user and password of %s",
               restored->address[0] ? "it answers at " : "instance ",
               restored->address[0] ? restored->address : wish->into, sql->database);
    backup_say(
        next, arena,
        "go over: an instance of Cloud SQL cannot be renamed, so copy what is wanted back into %s: pg_dump "
        "--format=custom from one, pg_restore --clean --if-exists into the other",
        sql->database);
    if (wish->backup)
        backup_say(
            next, arena,
            "or write the whole backup over the running instance, which ends its present state: gcloud sql "
            "backups restore %s --restore-instance=%s --project=%s",
            wish->backup->id, sql->database, sql->project);
    backup_say(
        next, arena,
        "be rid of it: gcloud sql instances patch %s --no-deletion-protection --project=%s && gcloud sql "
        "instances delete %s --project=%s",
        wish->into, sql->project, wish->into, sql->project);
}

static int restore_into(struct sql *sql, const struct restore_wish *wish, struct restored *restored)
{
    const struct node *source = NULL, *target = NULL;
    int code = get_source(sql, &source);
    if (!code && strcmp(wish->into, sql->database) == 0)
        code = error_set(sql->cloud.err, ERR_CONFLICT, "%s is the database that runs", sql->database);
    if (!code)
        code = get_instance(sql, wish->into, &target);
    if (code)
        return code;
    if (target && (!wish->ours || !is_ours(sql, target)))
        return error_set(sql->cloud.err, ERR_CONFLICT, "there is a Cloud SQL instance %s already",
                         wish->into);
    restored->found = target != NULL;
    if (!target)
        code = make_instance(sql, wish, source);
    if (!code)
        code = wait_runnable(sql, wish->into, &target);
    if (!code && wish->backup)
        code = fill_instance(sql, wish);
    if (!code && wish->backup)
        code = wait_runnable(sql, wish->into, &target);
    if (code)
        return code;
    restored->name = wish->into;
    restored->address = address_of(target);
    say_next(sql, wish, restored);
    return 0;
}

static int restore_backup(const struct backup_place *place, const struct restore_wish *wish,
                          struct restored *ret_restored)
{
    struct sql sql;
    *ret_restored = (struct restored){0};
    int code = open_sql(&sql, place);
    if (!code)
        code = restore_into(&sql, wish, ret_restored);
    cloud_json_close(&sql.cloud);
    return code;
}

const struct provider_backups gcp_backups = {
    .list = list_backups, .take = take_backup, .restore = restore_backup};
