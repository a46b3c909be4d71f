/* What only the user knows: the file of --usage. */
#include "provisioner/cost/cost.h"

#include <stdio.h>

#define MAX_BYTES  INT64_C(1000000000000000000)
#define MAX_NUMBER INT64_C(1000000000000)

#define SIZE_ROW(key, member, text, words)                                                                   \
    {                                                                                                        \
        .name = key, .type = OPT_SIZE, .offset = offsetof(struct cost_usage, member), .default_text = text,  \
        .max = MAX_BYTES, .unit = "bytes", .help = words                                                     \
    }
#define NUMBER_ROW(key, member, text, words)                                                                 \
    {                                                                                                        \
        .name = key, .type = OPT_INT, .offset = offsetof(struct cost_usage, member), .default_text = text,   \
        .max = MAX_NUMBER, .help = words                                                                     \
    }
#define USAGE_ROWS                                                                                           \
    SIZE_ROW("internet-egress", internet_egress_bytes, "100GB",                                              \
             "Sent to the internet, a month and region."),                                                   \
        SIZE_ROW("load-balancer", load_balancer_bytes, "100GB",                                              \
                 "Through the load balancer, a month and region."),                                          \
        SIZE_ROW("nat", nat_bytes, "50GB", "Through the NAT gateway, a month and region."),                  \
        SIZE_ROW("logs", log_bytes, "10GB", "Logs taken in, a month and region."),                           \
        SIZE_ROW("backup", backup_bytes, "0B", "Backups over what the cloud keeps for nothing."),            \
        {.name = "write-rate",                                                                               \
         .type = OPT_SIZE,                                                                                   \
         .offset = offsetof(struct cost_usage, write_bytes_per_s),                                           \
         .default_text = "100kB",                                                                            \
         .max = INT64_C(10000000000),                                                                        \
         .unit = "bytes",                                                                                    \
         .help = "Write-ahead log a second where a region writes; every byte goes to every other region."},  \
        NUMBER_ROW("dns-queries", dns_queries, "10000000", "DNS queries, a month and region."),              \
        NUMBER_ROW("metrics-requests", metrics_requests, "262800",                                           \
                   "Metrics asked of the cloud, a month and region: 30 every five minutes.")

static const struct option region_options[] = {USAGE_ROWS};
static const struct option_section section_region = {.name = "regions.NAME",
                                                     .help = "What differs in one region.",
                                                     .size = sizeof(struct cost_usage),
                                                     .options = region_options,
                                                     .option_count = ARRAY_LEN(region_options),
                                                     .has_position = true,
                                                     .position_offset =
                                                         offsetof(struct cost_usage, position)};

static const struct option usage_options[] = {USAGE_ROWS,
                                              {.name = "regions",
                                               .type = OPT_SECTION_MAP,
                                               .offset = offsetof(struct cost_usage, regions),
                                               .section = &section_region,
                                               .help = "The same members for one region, by its name."}};
static const struct option_section section_usage = {.name = "usage",
                                                    .help = "Traffic and volumes of a month.",
                                                    .size = sizeof(struct cost_usage),
                                                    .options = usage_options,
                                                    .option_count = ARRAY_LEN(usage_options)};

void cost_usage_defaults(struct cost_usage *usage)
{
    *usage = (struct cost_usage){0};
    struct arena *arena = arena_new(0);
    option_defaults(&section_usage, arena, usage); /* numbers only: nothing of it lives in the arena */
    arena_free(arena);
    usage->regions = (struct section_list){0};
}

const struct cost_usage *cost_usage_of(const struct cost_usage *usage, const char *region)
{
    for (size_t i = 0; i < usage->regions.count; i++) {
        const struct cost_usage *own = SECTION_AT(const struct cost_usage, usage->regions, i);
        if (strcmp(own->region, region) == 0)
            return own;
    }
    return usage;
}

/* What a region leaves out is that of all regions, not the default. */
static void inherit(const struct cost_usage *usage, struct cost_usage *own, const struct node *written)
{
    for (size_t i = 0; i < ARRAY_LEN(region_options); i++) {
        size_t offset = region_options[i].offset; /* every member has 64 bits */
        if (!node_find(written, region_options[i].name))
            memcpy((char *)own + offset, (const char *)usage + offset, sizeof(uint64_t));
    }
}

static void check_region(const struct deployment *deployment, const char *name, const struct node *written,
                         struct arena *arena, struct findings *findings)
{
    if (deployment_find_region(deployment, name))
        return;
    size_t count = deployment_region_count(deployment);
    const char **names = arena_alloc(arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = deployment_region(deployment, i)->name;
    const char *nearest = str_nearest(name, names, count);
    struct finding *finding = findings_add(findings, DIAG_ERROR, "usage", written,
                                           "regions: the deployment has no region \"%s\"", name);
    if (nearest)
        finding_hint(findings, finding, "did you mean \"%s\"?", nearest);
}

int cost_usage_load(const char *path, const struct deployment *deployment, struct arena *arena,
                    struct cost_usage *ret_usage, struct findings *findings)
{
    struct diag diag;
    struct node *root = NULL;
    size_t before = findings->errors;
    diag_init(&diag);
    *ret_usage = (struct cost_usage){0};
    int code = yaml_load(arena, path, &root, &diag);
    if (!code)
        code = option_parse(&section_usage, root, arena, ret_usage, &diag);
    findings_take_diag(findings, "usage", &diag);
    diag_deinit(&diag);
    const struct node *regions = root ? node_member(root, "regions") : NULL;
    for (size_t i = 0; regions && regions->kind == NODE_MAPPING && i < regions->count; i++)
        check_region(deployment, regions->pairs[i].key.ptr, regions->pairs[i].value, arena, findings);
    for (size_t i = 0; !code && i < ret_usage->regions.count; i++) {
        struct cost_usage *own = SECTION_AT(struct cost_usage, ret_usage->regions, i);
        inherit(ret_usage, own, node_member(regions, own->region));
    }
    return code || findings->errors > before ? ERR_CONFIG : 0;
}
