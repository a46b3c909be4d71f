/* replication and compliance. */
#include "lib/core/str.h"
#include "provisioner/config/sections.h"

static const struct option filter_options[] = {
    {.name = "region",
     .type = OPT_STRING,
     .offset = offsetof(struct replication_filter, region),
     .required = true,
     .not_empty = true,
     .help = "The region whose rows are restricted."},
    {.name = "tables",
     .type = OPT_STRING_LIST,
     .offset = offsetof(struct replication_filter, tables),
     .help = "Only these tables leave the region, as table or schema.table. Default: all."},
    {.name = "exclude",
     .type = OPT_STRING_LIST,
     .offset = offsetof(struct replication_filter, exclude),
     .help = "These tables never leave the region."},
    {.name = "rows",
     .type = OPT_STRING,
     .offset = offsetof(struct replication_filter, rows),
     .not_empty = true,
     .help = "SQL condition that a row must meet to leave the region, such as \"residence <> 'eu'\"; it goes "
             "into the publication's WHERE."},
};
static const struct option_section section_filter = {
    .name = "replication.filters[]",
    .help = "What leaves a region for the others. Restricted rows stay where they were written.",
    .size = sizeof(struct replication_filter),
    .options = filter_options,
    .option_count = ARRAY_LEN(filter_options),
    .has_position = true,
    .position_offset = offsetof(struct replication_filter, position)};

static const struct option_enum modes[] = {{"none", REPLICATION_NONE},
                                           {"streaming", REPLICATION_STREAMING},
                                           {"active-active", REPLICATION_ACTIVE_ACTIVE},
                                           {NULL, 0}};
static const struct option_enum commits[] = {
    {"async", COMMIT_ASYNC}, {"sync", COMMIT_SYNC}, {"quorum", COMMIT_QUORUM}, {NULL, 0}};
static const struct option_enum consistencies[] = {{"eventual", 0}, {"causal", 0}, {"strong", 0}, {NULL, 0}};
static const struct option_enum resolutions[] = {
    {"error", 0}, {"last-update-wins", 0}, {"first-update-wins", 0}, {"crdt", 0}, {NULL, 0}};

static const struct option replication_options[] = {
    {.name = "mode",
     .type = OPT_ENUM,
     .offset = offsetof(struct deployment_replication, mode),
     .default_text = "none",
     .choices = modes,
     .help = "none: every region keeps its own rows. streaming: one region writes, the others read copies. "
             "active-active: all write, and every row goes to every region unless `filters` hold it back."},
    {.name = "consistency",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_replication, consistency),
     .default_text = "eventual",
     .choices = consistencies,
     .help = "What readers in another region may see: rows in any order, rows in the order of their causes, "
             "or always the newest."},
    {.name = "conflict-resolution",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_replication, conflict_resolution),
     .default_text = "error",
     .choices = resolutions,
     .help = "What happens when two regions change one row at a time. error: replication stops and says so."},
    {.name = "primary",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_replication, primary),
     .not_empty = true,
     .help = "With streaming, the region that writes. Default: the first."},
    {.name = "regions",
     .type = OPT_STRING_LIST,
     .offset = offsetof(struct deployment_replication, regions),
     .not_empty = true,
     .help = "Regions that take part. Default: all."},
    {.name = "commit",
     .type = OPT_ENUM,
     .offset = offsetof(struct deployment_replication, commit),
     .default_text = "async",
     .choices = commits,
     .help = "With streaming on own hosts, what a commit waits for. async: for no other region. sync: for "
             "the first standby that answers. quorum: for any `quorum` standbys. Both cost a round trip."},
    {.name = "quorum",
     .type = OPT_INT,
     .offset = offsetof(struct deployment_replication, quorum),
     .default_text = "1",
     .min = 1,
     .max = 64,
     .help = "With commit: quorum, how many standbys must have a commit on disk."},
    {.name = "filters",
     .type = OPT_SECTION_LIST,
     .offset = offsetof(struct deployment_replication, filters),
     .section = &section_filter,
     .help = "What leaves a region, by table and row."},
    {.name = "lag-target",
     .type = OPT_DURATION,
     .offset = offsetof(struct deployment_replication, lag_target_ns),
     .min = NS_PER_MS,
     .unit = "duration",
     .help = "How old a copy may be. Alerts are made from it."},
    {.name = "rpo",
     .type = OPT_DURATION,
     .offset = offsetof(struct deployment_replication, rpo_ns),
     .min = NS_PER_MS,
     .unit = "duration",
     .help = "How much of the newest writes may be lost with a region."},
};
const struct option_section section_replication = {.name = "replication",
                                                   .help = "Copies of rows between the regions' databases.",
                                                   .size = sizeof(struct deployment_replication),
                                                   .options = replication_options,
                                                   .option_count = ARRAY_LEN(replication_options),
                                                   .has_position = true,
                                                   .position_offset =
                                                       offsetof(struct deployment_replication, position)};

static const struct option waiver_options[] = {
    {.name = "rule",
     .type = OPT_STRING,
     .offset = offsetof(struct compliance_waiver, rule),
     .required = true,
     .not_empty = true,
     .help = "Id of the rule, as `fraiseql deploy compliance` prints it."},
    {.name = "region",
     .type = OPT_STRING,
     .offset = offsetof(struct compliance_waiver, region),
     .not_empty = true,
     .help = "The region it holds for. Default: all."},
    {.name = "reason",
     .type = OPT_STRING,
     .offset = offsetof(struct compliance_waiver, reason),
     .required = true,
     .not_empty = true,
     .help = "Why the rule need not be met, for whoever audits this."},
    {.name = "until",
     .type = OPT_STRING,
     .offset = offsetof(struct compliance_waiver, until),
     .required = true,
     .not_empty = true,
     .help = "Last day of the waiver, as YYYY-MM-DD."},
};
static const struct option_section section_waiver = {
    .name = "compliance.waivers[]",
    .help = "A rule that is known not to be met, with a reason and an end.",
    .size = sizeof(struct compliance_waiver),
    .options = waiver_options,
    .option_count = ARRAY_LEN(waiver_options),
    .has_position = true,
    .position_offset = offsetof(struct compliance_waiver, position)};

static const struct option_enum standards[] = {{"gdpr", 0}, {"hipaa", 0}, {"soc2", 0}, {"sox", 0}, {NULL, 0}};

static const struct option compliance_options[] = {
    {.name = "standards",
     .type = OPT_STRING_LIST,
     .offset = offsetof(struct deployment_compliance, standards),
     .choices = standards,
     .help = "Standards whose rules `fraiseql deploy compliance` applies."},
    {.name = "data-residency",
     .type = OPT_STRING_MAP,
     .offset = offsetof(struct deployment_compliance, data_residency),
     .help = "Where rows of a region must stay: eu-only, eea-only, us-only, apac-only, or a country's code "
             "such as DE."},
    {.name = "waivers",
     .type = OPT_SECTION_LIST,
     .offset = offsetof(struct deployment_compliance, waivers),
     .section = &section_waiver,
     .help = "Rules that are known not to be met."},
};
const struct option_section section_compliance = {.name = "compliance",
                                                  .help = "Rules that the deployment must keep.",
                                                  .size = sizeof(struct deployment_compliance),
                                                  .options = compliance_options,
                                                  .option_count = ARRAY_LEN(compliance_options),
                                                  .has_position = true,
                                                  .position_offset =
                                                      offsetof(struct deployment_compliance, position)};
