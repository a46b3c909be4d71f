/* Replication: names of regions and tables, row conditions, promises. */
#include "lib/core/str.h"
#include "provisioner/config/checks.h"
#include "provisioner/provider.h"

static bool takes_part(const struct deployment_replication *replication, const char *name)
{
    for (size_t i = 0; i < replication->regions.count; i++) {
        if (strcmp(replication->regions.items[i], name) == 0)
            return true;
    }
    return replication->regions.count == 0;
}

static void check_members(const struct deployment *deployment, struct findings *findings)
{
    const struct string_list *regions = &deployment->replication.regions;
    for (size_t i = 0; i < regions->count; i++) {
        const char *path = check_path(deployment, "replication.regions.%zu", i);
        (void)check_region_name(deployment, regions->items[i], path, findings);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(regions->items[i], regions->items[j]) == 0)
                (void)check_fail(deployment, findings, "replication", path, "%s is named twice",
                                 regions->items[i]);
        }
    }
    size_t count = regions->count ? regions->count : deployment_region_count(deployment);
    if (deployment->replication.mode != REPLICATION_NONE && count < 2)
        (void)check_fail(deployment, findings, "replication", "replication.mode",
                         "replication needs two regions, and one takes part");
}

/* An own host and a cloud's managed database have nothing yet that links them. */
static void check_kinds(const struct deployment *deployment, struct findings *findings)
{
    const struct region *own = NULL, *cloud = NULL;
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        if (!region->provider || !deployment_replicates(deployment, region))
            continue;
        if (region->provider->own_hosts)
            own = own ? own : region;
        else
            cloud = cloud ? cloud : region;
    }
    if (!own || !cloud)
        return;
    struct finding *finding =
        check_fail(deployment, findings, "replication", "replication.mode",
                   "replication between %s, which is on own hosts, and %s (%s) is not part of this version",
                   own->name, cloud->name, cloud->provider->title);
    finding_hint(
        findings, finding,
        "Write mode: none, or name in replication.regions those on own hosts alone, or those in clouds "
        "alone.");
}

static void check_primary(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_replication *replication = &deployment->replication;
    if (!check_written(deployment, "replication.primary") || !replication->primary)
        return;
    if (replication->mode != REPLICATION_STREAMING)
        (void)check_fail(deployment, findings, "replication", "replication.primary",
                         "a primary is chosen with mode: streaming only");
    (void)check_region_name(deployment, replication->primary, "replication.primary", findings);
    if (deployment_find_region(deployment, replication->primary) &&
        !takes_part(replication, replication->primary))
        (void)check_fail(deployment, findings, "replication", "replication.primary",
                         "%s is not among replication.regions", replication->primary);
}

/* table or schema.table, each at most 63 bytes as PostgreSQL keeps them. */
static void check_tables(const struct deployment *deployment, const struct string_list *tables,
                         const char *path, struct findings *findings)
{
    for (size_t i = 0; i < tables->count; i++) {
        const char *name = tables->items[i], *dot = strchr(name, '.');
        size_t first = dot ? (size_t)(dot - name) : strlen(name), second = dot ? strlen(dot + 1) : 1;
        if (!first || !second || first > 63 || second > 63 || (dot && strchr(dot + 1, '.')))
            (void)check_fail(deployment, findings, "table-name", check_path(deployment, "%s.%zu", path, i),
                             "want table or schema.table of at most 63 bytes each, found \"%.80s\"", name);
    }
}

/* The condition goes between parentheses: it must not be able to leave them. NULL when it cannot. */
static const char *escape_of(const char *rows)
{
    size_t depth = 0;
    for (const char *at = rows; *at; at++) {
        if (*at == '\'' || *at == '"') {
            const char *end = strchr(at + 1, *at);
            if (!end)
                return "a quote is not closed";
            at = end;
        } else if (*at == '(') {
            depth++;
        } else if (*at == ')') {
            if (!depth--)
                return "a parenthesis is closed that was not opened";
        } else if (*at == ';' || *at == '\\' || *at == '$') {
            return "the characters ; \\ and $ are not allowed outside quotes";
        } else if ((*at == '-' && at[1] == '-') || (*at == '/' && at[1] == '*')) {
            return "comments are not allowed";
        }
    }
    return depth ? "a parenthesis is not closed" : NULL;
}

static void check_filter(const struct deployment *deployment, size_t i, struct findings *findings)
{
    const struct section_list *filters = &deployment->replication.filters;
    const struct replication_filter *filter = SECTION_AT(const struct replication_filter, *filters, i);
    const char *path = check_path(deployment, "replication.filters.%zu", i);
    (void)check_region_name(deployment, filter->region, check_path(deployment, "%s.region", path), findings);
    if (!filter->tables.count && !filter->exclude.count && !filter->rows)
        (void)check_fail(deployment, findings, "filter", path,
                         "restricts nothing: want tables, exclude or rows");
    check_tables(deployment, &filter->tables, check_path(deployment, "%s.tables", path), findings);
    check_tables(deployment, &filter->exclude, check_path(deployment, "%s.exclude", path), findings);
    const char *escape = filter->rows ? escape_of(filter->rows) : NULL;
    if (escape)
        (void)check_fail(deployment, findings, "filter", check_path(deployment, "%s.rows", path), "%s",
                         escape);
    for (size_t j = 0; j < i && filter->region; j++) {
        const struct replication_filter *earlier = SECTION_AT(const struct replication_filter, *filters, j);
        if (earlier->region && strcmp(earlier->region, filter->region) == 0)
            (void)check_fail(deployment, findings, "filter", check_path(deployment, "%s.region", path),
                             "%s has a filter at line %u already", filter->region, earlier->position.line);
    }
}

/* A commit that does not wait, where the file says that it does, loses rows with a region. */
static void check_commit(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_replication *replication = &deployment->replication;
    for (size_t i = 0; replication->commit != COMMIT_ASYNC && i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        if (!region->provider || region->provider->own_hosts || !deployment_replicates(deployment, region))
            continue;
        struct finding *finding =
            check_fail(deployment, findings, "replication", "replication.commit",
                       "only own hosts wait for other regions, and %s is on %s: there every commit is async",
                       region->name, region->provider->title);
        finding_hint(findings, finding, "Leave commit out, and write in rpo what may be lost.");
        break;
    }
    if (replication->commit != COMMIT_QUORUM && replication->quorum > 1)
        (void)check_fail(deployment, findings, "replication", "replication.quorum",
                         "is given, and replication.commit is not quorum");
}

/* What PostgreSQL's own replication does not give is said, since a word in a file is no mechanism. */
static void check_promises(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_replication *replication = &deployment->replication;
    size_t count =
        replication->regions.count ? replication->regions.count : deployment_region_count(deployment);
    if (replication->mode == REPLICATION_NONE) {
        if (replication->lag_target_ns)
            (void)check_fail(deployment, findings, "replication", "replication.lag-target",
                             "is given, and replication.mode is none");
        if (replication->rpo_ns)
            (void)check_fail(deployment, findings, "replication", "replication.rpo",
                             "is given, and replication.mode is none");
        return;
    }
    const char *resolution = replication->conflict_resolution, *consistency = replication->consistency;
    if (replication->mode != REPLICATION_ACTIVE_ACTIVE)
        return;
    if (resolution && strcmp(resolution, "error") != 0) {
        struct finding *finding = check_warn(
            deployment, findings, "conflict-resolution", "replication.conflict-resolution",
            "PostgreSQL's logical replication does not resolve conflicts, and nothing here adds %s: of "
            "two updates of a row each region keeps the one that it applied last, and a key that two "
            "regions insert stops replication",
            resolution);
        finding_hint(findings, finding,
                     "Keys from sequences do not collide, as every region has numbers of its "
                     "own. Let one region alone write a row, or write conflict-resolution: "
                     "error.");
    }
    if (consistency && strcmp(consistency, "causal") == 0 && count > 2)
        (void)check_warn(
            deployment, findings, "consistency", "replication.consistency",
            "the order of causes holds between two regions; among %zu, a third may see an answer "
            "before the row that it answers",
            count);
}

/* Sound, and of use where software is tried or two networks must stay apart; but the copy shares the fate of
 * what it copies. */
static void check_places(const struct deployment *deployment, struct findings *findings)
{
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        for (size_t j = 0; j < i && region->location && deployment_replicates(deployment, region); j++) {
            const struct region *other = deployment_region(deployment, j);
            if (other->location != region->location || !deployment_replicates(deployment, other))
                continue;
            unsigned line =
                deployment_node(deployment, check_path(deployment, "regions.%s.location", other->name))->line;
            struct finding *finding = check_warn(
                deployment, findings, "same-location",
                check_path(deployment, "regions.%s.location", region->name),
                "%s of %s is where region %s is too (line %u): what strikes the location takes both copies",
                region->location_name, region->provider->title, other->name, line);
            finding_hint(findings, finding,
                         "Choose another location, or let one region alone be there: high-availability keeps "
                         "a copy in another zone.");
            break;
        }
    }
}

/* As the publication reads them: without a schema a table that leaves is one of public, and one that stays is
 * of any schema. */
static bool is_excluded(const char *table, const char *excluded)
{
    const char *dot = strchr(table, '.'), *other_dot = strchr(excluded, '.');
    struct str schema = dot ? (struct str){table, (size_t)(dot - table)} : STR("public");
    if (strcmp(dot ? dot + 1 : table, other_dot ? other_dot + 1 : excluded) != 0)
        return false;
    return !other_dot || str_equal(schema, (struct str){excluded, (size_t)(other_dot - excluded)});
}

static void contradict_filter(const struct deployment *deployment, size_t i, struct findings *findings)
{
    const struct replication_filter *filter =
        SECTION_AT(const struct replication_filter, deployment->replication.filters, i);
    for (size_t e = 0; e < filter->exclude.count; e++) {
        for (size_t t = 0; t < filter->tables.count; t++) {
            if (!is_excluded(filter->tables.items[t], filter->exclude.items[e]))
                continue;
            const char *path = check_path(deployment, "replication.filters.%zu.exclude.%zu", i, e);
            const char *tables = check_path(deployment, "replication.filters.%zu.tables.%zu", i, t);
            const struct node *node = deployment_node(deployment, path);
            struct finding *finding = findings_contradict(
                findings, "filter", node,
                "replication.filters[%zu]: %s is kept in %s by exclude (line %u), and tables lets %s leave "
                "(line %u)",
                i, filter->exclude.items[e], filter->region, node->line, filter->tables.items[t],
                deployment_node(deployment, tables)->line);
            finding_hint(findings, finding, "Take it out of one of the two.");
        }
    }
}

void contradict_filters(const struct deployment *deployment, struct findings *findings)
{
    for (size_t i = 0; i < deployment->replication.filters.count; i++)
        contradict_filter(deployment, i, findings);
}

void check_replication(const struct deployment *deployment, struct findings *findings)
{
    check_members(deployment, findings);
    check_kinds(deployment, findings);
    check_places(deployment, findings);
    check_primary(deployment, findings);
    check_commit(deployment, findings);
    for (size_t i = 0; i < deployment->replication.filters.count; i++)
        check_filter(deployment, i, findings);
    check_promises(deployment, findings);
}
