/* The whole file. */
#include "provisioner/config/sections.h"

#include "lib/core/str.h"

#define SECTION(key, member, table, text)                                                                    \
    {                                                                                                        \
        .name = key, .type = OPT_SECTION, .offset = offsetof(struct deployment, member),                     \
        .section = &(table), .help = text                                                                    \
    }

static const struct option options[] = {
    {.name = "version",
     .type = OPT_INT,
     .offset = offsetof(struct deployment, version),
     .default_text = "1",
     .min = 1,
     .max = 1,
     .help = "Version of this format."},
    SECTION("metadata", metadata, section_metadata, "Who this deployment is."),
    {.name = "regions",
     .type = OPT_SECTION_MAP,
     .offset = offsetof(struct deployment, region_list),
     .required = true,
     .not_empty = true,
     .section = &section_region,
     .help = "Where the service runs, by a name of your choice: at most 20 lower case letters, digits and "
             "dashes, a letter first."},
    SECTION("replication", replication, section_replication, "Copies of rows between regions."),
    SECTION("compliance", compliance, section_compliance, "Rules that the deployment must keep."),
    SECTION("service", service, section_service, "The server."),
    SECTION("network", network, section_network, "Addresses, and the way between regions."),
    SECTION("traffic", traffic, section_traffic, "How clients find a region."),
    SECTION("backup", backup, section_backup, "Copies of the databases against loss."),
    SECTION("monitoring", monitoring, section_monitoring, "What is seen of the deployment."),
    SECTION("cost-management", cost, section_cost, "A bound on what it may cost."),
    SECTION("state", state, section_state, "Where it is kept what was deployed."),
};
static const struct option_section root_section = {
    .name = "fraiseql-deployment.yaml",
    .help = "A deployment: one service in any number of regions, on any of the clouds. Keys are written with "
            "dashes; underscores are read too.",
    .size = sizeof(struct deployment),
    .options = options,
    .option_count = ARRAY_LEN(options)};

const struct option_section *deployment_section(void)
{
    return &root_section;
}

void deployment_dump(const struct deployment *deployment, struct buf *out)
{
    option_dump(&root_section, deployment, out, 0);
}
