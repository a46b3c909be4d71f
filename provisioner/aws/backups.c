#include "provisioner/aws/backups.h"

#include "lib/cloud/aws_signin.h"
#include "lib/core/clock.h"
#include "lib/core/env.h"
#include "lib/net/http_wait.h"
#include "provisioner/render/render.h"
#include "version.h"

#include <stdio.h>

#define RDS_VERSION "2014-10-31"
#define GIB         (UINT64_C(1) << 30)
#define GROUPS_MAX  20U
#define ADDRESS     "module.region.aws_db_instance.this"

struct rds {
    struct aws_caller caller;
    struct signin *signin;
    const struct backup_place *place;
    const char *database;
};

/* --- reading -------------------------------------------------------------------------------------------- */

static int64_t time_of(const struct xml *element, const char *member)
{
    int64_t wall_ns;
    return clock_parse_rfc3339(str_from(xml_text(element, member)), &wall_ns) ? wall_ns : 0;
}

static enum backup_state state_of(const char *status)
{
    if (strcmp(status, "available") == 0)
        return BACKUP_DONE;
    return strcmp(status, "creating") == 0 || strcmp(status, "copying") == 0 ? BACKUP_UNDER_WAY
                                                                             : BACKUP_FAILED;
}

static void read_snapshot(const struct xml *snapshot, struct backup *ret)
{
    uint64_t gib = 0;
    const char *status = xml_text(snapshot, "Status");
    (void)str_to_u64(str_from(xml_text(snapshot, "AllocatedStorage")), &gib);
    int64_t at = time_of(snapshot, "OriginalSnapshotCreateTime");
    *ret = (struct backup){
        .id = xml_text(snapshot, "DBSnapshotIdentifier"),
        .name = xml_text(snapshot, "DBSnapshotIdentifier"),
        .kind = xml_text(snapshot, "SnapshotType"),
        .said = status,
        .state = state_of(status),
        .size_bytes = gib <= UINT64_MAX / GIB ? gib * GIB : 0,
        .size_means = "disk",
        .at_wall_ns = state_of(status) != BACKUP_DONE ? 0
                      : at                            ? at
                                                      : time_of(snapshot, "SnapshotCreateTime"),
    };
}

int aws_backups_read(const struct xml *result, struct backup_list *list, struct arena *arena,
                     const char **ret_next, struct error *err)
{
    const struct xml *snapshot = xml_child(xml_child(result, "DBSnapshots"), "DBSnapshot");
    const char *marker = xml_text(result, "Marker");
    *ret_next = NULL;
    for (; snapshot; snapshot = xml_again(snapshot)) {
        struct backup backup;
        read_snapshot(snapshot, &backup);
        if (!backup.id[0])
            continue;
        if (!backup_list_add(list, &backup, arena))
            return error_set(err, ERR_LIMIT, "RDS lists more than %u snapshots", BACKUPS_MAX);
    }
    if (marker[0])
        *ret_next = marker;
    return 0;
}

const char *aws_backups_tag(const struct xml *element, const char *key)
{
    const struct xml *tag = xml_child(xml_child(element, "TagList"), "Tag");
    for (; tag; tag = xml_again(tag)) {
        if (strcmp(xml_text(tag, "Key"), key) == 0)
            return xml_text(tag, "Value");
    }
    return "";
}

/* --- asking --------------------------------------------------------------------------------------------- */

static int open_rds(struct rds *rds, const struct backup_place *place)
{
    const char *account = place->region->account;
    const struct aws_signin_options options = {
        .region = place->region->location_name,
        .role_arn = account && strncmp(account, "arn:", 4) == 0 ? account : NULL};
    char name[RENDER_NAME_MAX + 1];
    *rds = (struct rds){.caller = {.region = place->region->location_name,
                                   .env = env_get,
                                   .deadline_mono_ns = place->deadline_mono_ns},
                        .signin = aws_signin_new(&options),
                        .place = place};
    rds->database = arena_strdup(place->arena, str_from(render_name(place->deployment, place->region, name)));
    int code = http_wait_new("fraiseql/" FRAISEQL_VERSION, &rds->caller.client, place->err);
    return code ? code
                : signin_wait(rds->signin, rds->caller.client, place->deadline_mono_ns, &rds->caller.token,
                              place->err);
}

static void close_rds(struct rds *rds)
{
    signin_free(rds->signin);
    http_wait_free(rds->caller.client);
}

/* *ret_instance NULL: there is none. */
static int get_instance(struct rds *rds, const char *name, const struct xml **ret_instance)
{
    struct aws_form form;
    struct aws_failure failure;
    const struct xml *result = NULL;
    struct error err = {0};
    aws_form_init(&form, "DescribeDBInstances", RDS_VERSION);
    aws_form_add(&form, "DBInstanceIdentifier", str_from(name));
    int code = aws_call(&rds->caller, "rds", "DescribeDBInstances", &form, rds->place->arena, &result,
                        &failure, &err);
    aws_form_deinit(&form);
    *ret_instance = NULL;
    if (code && strcmp(failure.code, "DBInstanceNotFound") == 0)
        return 0;
    if (code) {
        *rds->place->err = err;
        return code;
    }
    *ret_instance = xml_child(xml_child(result, "DBInstances"), "DBInstance");
    return 0;
}

static bool is_ours(const struct rds *rds, const struct xml *instance)
{
    return strcmp(aws_backups_tag(instance, BACKUP_LABEL), rds->place->deployment->metadata.name) == 0;
}

static int get_source(struct rds *rds, const struct xml **ret_instance)
{
    int code = get_instance(rds, rds->database, ret_instance);
    if (code)
        return code;
    if (!*ret_instance)
        return error_set(rds->place->err, ERR_PEER, "there is no RDS instance %s in %s", rds->database,
                         rds->caller.region);
    if (!is_ours(rds, *ret_instance))
        return error_set(rds->place->err, ERR_CONFLICT,
                         "the RDS instance %s is not this deployment's: its tag " BACKUP_LABEL
                         " is not \"%s\"",
                         rds->database, rds->place->deployment->metadata.name);
    return 0;
}

/* Of the instance, or with `name` that one. A snapshot that is not there is an empty list. */
static int list_snapshots(struct rds *rds, const char *name, struct backup_list *list)
{
    const char *next = NULL;
    int code = 0;
    for (unsigned pages = 0; !code; pages++) {
        struct aws_form form;
        struct aws_failure failure;
        const struct xml *result = NULL;
        struct error err = {0};
        if (pages == BACKUP_PAGES_MAX)
            return error_set(rds->place->err, ERR_LIMIT, "RDS lists its snapshots on more than %u pages",
                             BACKUP_PAGES_MAX);
        aws_form_init(&form, "DescribeDBSnapshots", RDS_VERSION);
        aws_form_add(&form, "DBInstanceIdentifier", str_from(rds->database));
        if (name)
            aws_form_add(&form, "DBSnapshotIdentifier", str_from(name));
        if (next)
            aws_form_add(&form, "Marker", str_from(next));
        code = aws_call(&rds->caller, "rds", "DescribeDBSnapshots", &form, rds->place->arena, &result,
                        &failure, &err);
        aws_form_deinit(&form);
        if (code && strcmp(failure.code, "DBSnapshotNotFound") == 0)
            return 0;
        if (!code)
            code = aws_backups_read(result, list, rds->place->arena, &next, &err);
        if (code)
            *rds->place->err = err;
        if (!next)
            break;
    }
    return code;
}

static void find_window(const struct xml *instance, struct backup_list *list)
{
    list->latest_wall_ns = time_of(instance, "LatestRestorableTime");
    for (size_t i = 0; list->latest_wall_ns && i < list->count; i++) {
        const struct backup *each = &list->items[i];
        if (each->state == BACKUP_DONE && strcmp(each->kind, "automated") == 0 && each->at_wall_ns &&
            (!list->earliest_wall_ns || each->at_wall_ns < list->earliest_wall_ns))
            list->earliest_wall_ns = each->at_wall_ns;
    }
}

static int list_backups(const struct backup_place *place, struct backup_list *ret_list)
{
    struct rds rds;
    const struct xml *instance = NULL;
    *ret_list = (struct backup_list){0};
    int code = open_rds(&rds, place);
    ret_list->database = rds.database;
    if (!code)
        code = get_source(&rds, &instance);
    if (!code)
        code = list_snapshots(&rds, NULL, ret_list);
    if (!code)
        find_window(instance, ret_list);
    backup_list_sort(ret_list);
    close_rds(&rds);
    return code;
}

/* --- taking --------------------------------------------------------------------------------------------- */

static int send_snapshot(struct rds *rds, const char *name)
{
    struct aws_form form;
    struct aws_failure failure;
    const struct xml *result = NULL;
    struct error err = {0};
    aws_form_init(&form, "CreateDBSnapshot", RDS_VERSION);
    aws_form_add(&form, "DBInstanceIdentifier", str_from(rds->database));
    aws_form_add(&form, "DBSnapshotIdentifier", str_from(name));
    aws_form_add(&form, "Tags.Tag.1.Key", STR(BACKUP_LABEL));
    aws_form_add(&form, "Tags.Tag.1.Value", str_from(rds->place->deployment->metadata.name));
    int code =
        aws_call(&rds->caller, "rds", "CreateDBSnapshot", &form, rds->place->arena, &result, &failure, &err);
    aws_form_deinit(&form);
    /* A try whose answer was lost has made it. */
    if (code && strcmp(failure.code, "DBSnapshotAlreadyExists") == 0)
        return 0;
    if (code)
        *rds->place->err = err;
    return code;
}

static int take_backup(const struct backup_place *place, const char *name, struct backup *ret_backup)
{
    struct rds rds;
    const struct xml *instance = NULL;
    bool sent = false;
    int code = open_rds(&rds, place);
    if (!code)
        code = get_source(&rds, &instance);
    for (unsigned looks = 0; !code; looks++) {
        struct backup_list list = {0};
        code = list_snapshots(&rds, name, &list);
        const struct backup *found = code ? NULL : backup_find(&list, name);
        if (found && found->state == BACKUP_DONE) {
            *ret_backup = *found;
            break;
        }
        if (found && found->state == BACKUP_FAILED)
            code = error_set(place->err, ERR_PEER, "RDS says of snapshot %s: %s", name, found->said);
        else if (!code && !found && !sent)
            code = send_snapshot(&rds, name);
        else if (!code)
            code = backup_pause(looks, place->deadline_mono_ns, name, place->err);
        sent = true;
    }
    close_rds(&rds);
    return code;
}

/* --- restoring ------------------------------------------------------------------------------------------ */

static void add_tag(struct aws_form *form, unsigned *number, const char *key, const char *value)
{
    char name[48];
    (void)snprintf(name, sizeof name, "Tags.Tag.%u.Key", ++*number);
    aws_form_add(form, name, str_from(key));
    (void)snprintf(name, sizeof name, "Tags.Tag.%u.Value", *number);
    aws_form_add(form, name, str_from(value));
}

static void add_tags(const struct xml *instance, const char *origin, struct aws_form *form)
{
    unsigned number = 0;
    const struct xml *tag = xml_child(xml_child(instance, "TagList"), "Tag");
    for (; tag && number < 48; tag = xml_again(tag)) {
        const char *key = xml_text(tag, "Key");
        /* Two with one address would be one resource of the module; aws: is not ours to give. */
        if (strcmp(key, "fraiseql-address") != 0 && strcmp(key, BACKUP_ORIGIN) != 0 &&
            strncmp(key, "aws:", 4) != 0)
            add_tag(form, &number, key, xml_text(tag, "Value"));
    }
    add_tag(form, &number, BACKUP_ORIGIN, origin);
}

/* What would not follow by itself: the database's log, audit lines among it, goes nowhere without these. */
static void add_exports(const struct xml *instance, struct aws_form *form)
{
    const struct xml *each = xml_child(xml_child(instance, "EnabledCloudwatchLogsExports"), "member");
    const char *by_rights = xml_text(instance, "IAMDatabaseAuthenticationEnabled");
    char name[64];
    for (unsigned i = 1; each && i <= GROUPS_MAX; each = xml_again(each), i++) {
        (void)snprintf(name, sizeof name, "EnableCloudwatchLogsExports.member.%u", i);
        aws_form_add(form, name, each->text);
    }
    if (by_rights[0])
        aws_form_add(form, "EnableIAMDatabaseAuthentication", str_from(by_rights));
}

void aws_backups_settings(const struct xml *instance, const char *origin, struct aws_form *form)
{
    static const char *const copied[] = {"DBInstanceClass", "MultiAZ", "PubliclyAccessible", "StorageType",
                                         "DeletionProtection"};
    const struct xml *group =
        xml_child(xml_child(instance, "VpcSecurityGroups"), "VpcSecurityGroupMembership");
    const struct xml *parameters = xml_child(xml_child(instance, "DBParameterGroups"), "DBParameterGroup");
    const char *subnets = xml_text(xml_child(instance, "DBSubnetGroup"), "DBSubnetGroupName");
    char name[64];
    for (size_t i = 0; i < ARRAY_LEN(copied); i++) {
        const char *value = xml_text(instance, copied[i]);
        if (value[0])
            aws_form_add(form, copied[i], str_from(value));
    }
    if (subnets[0])
        aws_form_add(form, "DBSubnetGroupName", str_from(subnets));
    if (xml_text(parameters, "DBParameterGroupName")[0])
        aws_form_add(form, "DBParameterGroupName", str_from(xml_text(parameters, "DBParameterGroupName")));
    for (unsigned i = 1; group && i <= GROUPS_MAX; group = xml_again(group), i++) {
        (void)snprintf(name, sizeof name, "VpcSecurityGroupIds.VpcSecurityGroupId.%u", i);
        aws_form_add(form, name, str_from(xml_text(group, "VpcSecurityGroupId")));
    }
    add_exports(instance, form);
    aws_form_add(form, "CopyTagsToSnapshot", STR("true"));
    add_tags(instance, origin, form);
}

static int send_restore(struct rds *rds, const struct restore_wish *wish, const struct xml *source)
{
    const char *action = wish->backup ? "RestoreDBInstanceFromDBSnapshot" : "RestoreDBInstanceToPointInTime";
    char moment[CLOCK_RFC3339_SIZE];
    struct aws_form form;
    struct aws_failure failure;
    const struct xml *result = NULL;
    struct error err = {0};
    clock_format_rfc3339(wish->at_wall_ns, moment);
    aws_form_init(&form, action, RDS_VERSION);
    if (wish->backup) {
        aws_form_add(&form, "DBInstanceIdentifier", str_from(wish->into));
        aws_form_add(&form, "DBSnapshotIdentifier", str_from(wish->backup->id));
    } else {
        aws_form_add(&form, "SourceDBInstanceIdentifier", str_from(rds->database));
        aws_form_add(&form, "TargetDBInstanceIdentifier", str_from(wish->into));
        aws_form_add(&form, "RestoreTime", str_from(moment));
    }
    aws_backups_settings(source, wish->backup ? wish->backup->id : moment, &form);
    int code = aws_call(&rds->caller, "rds", action, &form, rds->place->arena, &result, &failure, &err);
    aws_form_deinit(&form);
    /* A try whose answer was lost has made it: there was none before. */
    if (code && strcmp(failure.code, "DBInstanceAlreadyExists") == 0)
        return 0;
    if (code)
        *rds->place->err = err;
    return code;
}

static bool has_failed(const char *status)
{
    static const char *const failed[] = {"failed",
                                         "incompatible-restore",
                                         "incompatible-network",
                                         "incompatible-parameters",
                                         "incompatible-option-group",
                                         "insufficient-capacity",
                                         "inaccessible-encryption-credentials",
                                         "storage-full",
                                         "deleting",
                                         "restore-error"};
    for (size_t i = 0; i < ARRAY_LEN(failed); i++) {
        if (strcmp(status, failed[i]) == 0)
            return true;
    }
    return false;
}

static int wait_available(struct rds *rds, const char *name, const struct xml **ret_instance)
{
    for (unsigned looks = 0;; looks++) {
        int code = get_instance(rds, name, ret_instance);
        const char *status = xml_text(*ret_instance, "DBInstanceStatus");
        if (code || strcmp(status, "available") == 0)
            return code;
        if (has_failed(status))
            return error_set(rds->place->err, ERR_PEER, "RDS says of instance %s: %s", name, status);
        code = backup_pause(looks, rds->place->deadline_mono_ns, name, rds->place->err);
        if (code)
            return code;
    }
}

static void say_next(struct rds *rds, const struct restore_wish *wish, struct restored *restored)
{
    struct arena *arena = rds->place->arena;
    struct string_list *next = &restored->next;
    const char *where = rds->caller.region;
    backup_say(
        next, arena,
        "its password: that of the moment it is from, which nobody may know any more; a new one in Secrets "
        "Manager: aws rds modify-db-instance --region %s --db-instance-identifier %s "
        "--manage-master-user-password --apply-immediately",
        where, wish->into);
    backup_say(next, arena, "look at it: %s, database fraiseql, from inside the region's network",
               restored->address[0] ? restored->address : wish->into);
    backup_say(
        next, arena,
        "go over, with the service stopped: aws rds modify-db-instance --region %s --apply-immediately "
        "--db-instance-identifier %s --new-db-instance-identifier %s-before, then the same with %s and %s",
        where, rds->database, rds->database, wish->into, rds->database);
    backup_say(
        next, arena,
        "let the deployment take it over, in render/regions/%s of its folder: terraform state rm " ADDRESS
        " && terraform import " ADDRESS " %s; then `fraiseql deploy plan` says what it would change of it",
        rds->place->region->name, rds->database);
    backup_say(next, arena,
               "be rid of it: aws rds modify-db-instance --region %s --db-instance-identifier %s "
               "--no-deletion-protection --apply-immediately && aws rds delete-db-instance --region %s "
               "--db-instance-identifier %s --skip-final-snapshot",
               where, wish->into, where, wish->into);
}

static int restore_into(struct rds *rds, const struct restore_wish *wish, struct restored *restored)
{
    const struct xml *source = NULL, *target = NULL;
    int code = get_source(rds, &source);
    if (!code)
        code = get_instance(rds, wish->into, &target);
    if (code)
        return code;
    if (target && (!wish->ours || !is_ours(rds, target) || !aws_backups_tag(target, BACKUP_ORIGIN)[0]))
        return error_set(rds->place->err, ERR_CONFLICT, "there is an RDS instance %s already", wish->into);
    restored->found = target != NULL;
    if (!target)
        code = send_restore(rds, wish, source);
    if (!code)
        code = wait_available(rds, wish->into, &target);
    if (code)
        return code;
    restored->name = wish->into;
    restored->address = xml_text(xml_child(target, "Endpoint"), "Address");
    say_next(rds, wish, restored);
    return 0;
}

static int restore_backup(const struct backup_place *place, const struct restore_wish *wish,
                          struct restored *ret_restored)
{
    struct rds rds;
    *ret_restored = (struct restored){0};
    int code = open_rds(&rds, place);
    if (!code && strcmp(wish->into, rds.database) == 0)
        code = error_set(place->err, ERR_CONFLICT, "%s is the database that runs", rds.database);
    if (!code)
        code = restore_into(&rds, wish, ret_restored);
    close_rds(&rds);
    return code;
}

const struct provider_backups aws_backups = {
    .list = list_backups, .take = take_backup, .restore = restore_backup};
