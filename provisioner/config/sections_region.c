/* metadata, regions and what a region holds. */
#include "lib/core/str.h"
#include "provisioner/config/sections.h"
#include "provisioner/database.h"
#include "provisioner/provider.h"

static const struct option metadata_options[] = {
    {.name = "name",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_metadata, name),
     .required = true,
     .not_empty = true,
     .help = "Name of the deployment, from which the names of all resources are made: at most 40 lower case "
             "letters, digits and dashes, a letter first. It cannot be changed once deployed."},
    {.name = "environment",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_metadata, environment),
     .default_text = "production",
     .not_empty = true,
     .help = "What it is for: production, staging, development or another word; a label of every resource "
             "and of every trace."},
    {.name = "labels",
     .type = OPT_STRING_MAP,
     .offset = offsetof(struct deployment_metadata, labels),
     .help = "Tags or labels of every resource: lower case letters, digits, - and _, since all clouds take "
             "those. Names that start with fraiseql- are kept for the program."},
};
const struct option_section section_metadata = {.name = "metadata",
                                                .help = "Who this deployment is.",
                                                .size = sizeof(struct deployment_metadata),
                                                .options = metadata_options,
                                                .option_count = ARRAY_LEN(metadata_options),
                                                .has_position = true,
                                                .position_offset =
                                                    offsetof(struct deployment_metadata, position)};

static const struct option_enum engines[] = {{"postgresql", 0}, {NULL, 0}};

static const struct option database_options[] = {
    {.name = "engine",
     .type = OPT_STRING,
     .offset = offsetof(struct region_database, engine),
     .default_text = "postgresql",
     .choices = engines,
     .check = database_check_name,
     .help = "Engine of the database."},
    {.name = "type",
     .type = OPT_STRING,
     .offset = offsetof(struct region_database, type),
     .not_empty = true,
     .help = "The cloud's product: rds, cloudsql or azure-database. Default: that of the provider."},
    {.name = "size",
     .type = OPT_STRING,
     .offset = offsetof(struct region_database, size),
     .not_empty = true,
     .help = "Exact class on AWS, such as db.t3.xlarge. Default: what fits the region's `size`."},
    {.name = "tier",
     .type = OPT_STRING,
     .offset = offsetof(struct region_database, tier),
     .not_empty = true,
     .help = "The same on Google Cloud, such as db-custom-4-16384."},
    {.name = "sku",
     .type = OPT_STRING,
     .offset = offsetof(struct region_database, sku),
     .not_empty = true,
     .help = "The same on Azure, such as Standard_D4s_v3 or GP_Standard_D4s_v3."},
    {.name = "version",
     .type = OPT_INT,
     .offset = offsetof(struct region_database, version),
     .help = "Major version of the engine, for PostgreSQL 14 to 18. Default: 16. Replication between writers "
             "needs 16 or later."},
    {.name = "storage",
     .type = OPT_SIZE,
     .offset = offsetof(struct region_database, storage_bytes),
     .default_text = "100GB",
     .min = INT64_C(10) * 1000 * 1000 * 1000,
     .max = INT64_C(64) * 1000 * 1000 * 1000 * 1000,
     .unit = "bytes",
     .help = "Disk of the database at first."},
    {.name = "max-storage",
     .type = OPT_SIZE,
     .offset = offsetof(struct region_database, max_storage_bytes),
     .default_text = "1TB",
     .min = INT64_C(10) * 1000 * 1000 * 1000,
     .max = INT64_C(64) * 1000 * 1000 * 1000 * 1000,
     .unit = "bytes",
     .help = "How far the cloud may let the disk grow before it is full; never below `storage`."},
    {.name = "high-availability",
     .type = OPT_BOOL,
     .offset = offsetof(struct region_database, high_availability),
     .default_text = "true",
     .help = "A standby in another zone takes over when the first fails. It doubles the price of the "
             "database."},
    {.name = "deletion-protection",
     .type = OPT_BOOL,
     .offset = offsetof(struct region_database, deletion_protection),
     .default_text = "true",
     .help = "The cloud refuses to delete the database until this is taken off."},
    {.name = "public-access",
     .type = OPT_BOOL,
     .offset = offsetof(struct region_database, public_access),
     .default_text = "false",
     .help = "Whether the database has an address on the internet."},
    {.name = "encrypted",
     .type = OPT_BOOL,
     .offset = offsetof(struct region_database, encrypted),
     .default_text = "true",
     .help = "Encryption of disks and backups. Google Cloud and Azure always encrypt."},
    {.name = "encryption-key",
     .type = OPT_STRING,
     .offset = offsetof(struct region_database, encryption_key),
     .not_empty = true,
     .help = "A key of your own: an ARN, a key's resource name or a key's id. Default: on AWS the deployment "
             "makes one; Google Cloud and Azure encrypt with keys of theirs."},
};
static const char *const classes[] = {"size", "tier", "sku", NULL};
const struct option_section section_database = {
    .name = "regions.*.database",
    .help = "The region's database, run by the cloud: private, encrypted, highly available and backed up "
            "unless you say otherwise.",
    .size = sizeof(struct region_database),
    .options = database_options,
    .option_count = ARRAY_LEN(database_options),
    .one_of = classes,
    .has_position = true,
    .position_offset = offsetof(struct region_database, position)};

static const struct option network_options[] = {
    {.name = "cidr",
     .type = OPT_STRING,
     .offset = offsetof(struct region_network, cidr),
     .not_empty = true,
     .help = "Address range of the region: private, a /16 to a /20, apart from those of all other regions. "
             "Default: allotted from `network.cidr` by the region's `place`."},
};
static const struct option_section section_region_network = {.name = "regions.*.network",
                                                             .help = "The region's private network.",
                                                             .size = sizeof(struct region_network),
                                                             .options = network_options,
                                                             .option_count = ARRAY_LEN(network_options)};

static const struct option_enum sizes[] = {
    {"small", SIZE_SMALL}, {"medium", SIZE_MEDIUM}, {"large", SIZE_LARGE}, {NULL, 0}};

static const struct option region_options[] = {
    {.name = "provider",
     .type = OPT_STRING,
     .offset = offsetof(struct region, provider_name),
     .required = true,
     .choices = provider_choices,
     .check = provider_check_name,
     .help = "The cloud, or self-hosted for machines of your own."},
    {.name = "location",
     .type = OPT_STRING,
     .offset = offsetof(struct region, location_name),
     .required = true,
     .not_empty = true,
     .help =
         "The cloud's own name of the place, such as us-east-1, europe-west1 or southeastasia. Free text for "
         "own hosts."},
    {.name = "size",
     .type = OPT_ENUM,
     .offset = offsetof(struct region, size),
     .choices = sizes,
     .help = "Size of instances and database in words that hold on every cloud: changing `provider` and "
             "`location` alone moves the region. Default: medium, unless `instance_type` is given."},
    {.name = "instance_type",
     .type = OPT_STRING,
     .offset = offsetof(struct region, instance_type),
     .not_empty = true,
     .help = "The cloud's own name of the machine, such as t3.2xlarge, instead of `size`."},
    {.name = "instances",
     .type = OPT_INT,
     .offset = offsetof(struct region, instances),
     .default_text = "3",
     .min = 1,
     .max = 100,
     .help = "How many machines run the service, one a zone as far as there are zones."},
    {.name = "max-instances",
     .type = OPT_INT,
     .offset = offsetof(struct region, max_instances),
     .min = 1,
     .max = 1000,
     .help = "How many there may be under load. Default: twice `instances`."},
    {.name = "place",
     .type = OPT_INT,
     .offset = offsetof(struct region, place),
     .min = 1,
     .max = REGIONS_MAX,
     .help =
         "The region's number, no other region's. Its address range and the numbers that its database "
         "draws come from it, so it stays what it is as long as the region stands: write it where a region "
         "above is taken out or put in. Default: the one after the region above; 1 of the first."},
    {.name = "account",
     .type = OPT_STRING,
     .offset = offsetof(struct region, account),
     .not_empty = true,
     .help = "Account to deploy into: an AWS role to assume, a Google Cloud project, an Azure subscription. "
             "Default: that of the credentials."},
    {.name = "hosts",
     .type = OPT_STRING_LIST,
     .offset = offsetof(struct region, hosts),
     .help = "Own hosts: the machine, local for this one or ssh://user@host:port by the OpenSSH client, as "
             "root or "
             "as a user who may become it by `sudo -n`. One a region in this version."},
    {.name = "address",
     .type = OPT_STRING,
     .offset = offsetof(struct region, address),
     .not_empty = true,
     .help = "Own hosts: IPv4 address at which the other regions and clients reach this one. Default: that "
             "in the "
             "ssh URL; on this machine one of its own below 127.0.0.0/8, or inside its network namespace."},
    {.name = "port-base",
     .type = OPT_INT,
     .offset = offsetof(struct region, port_base),
     .min = 1024,
     .max = 65000,
     .help =
         "Own hosts: first of the region's ports, all of which then follow it, but for OTLP's 4317 and 4318. "
         "Default: the usual ports (5432 PostgreSQL, 8080 HTTP, 5433 writes, 5434 reads, 9480 collector, "
         "9090 "
         "Prometheus, 9093 Alertmanager, 8405 HAProxy's metrics, 8000 the service)."},
    {.name = "without",
     .type = OPT_STRING_LIST,
     .offset = offsetof(struct region, without),
     .help =
         "Own hosts: parts that do not run here, of postgresql, haproxy, service, monitoring, alertmanager "
         "and prometheus. They are yours to provide where another part needs them."},
    {.name = "labels",
     .type = OPT_STRING_MAP,
     .offset = offsetof(struct region, labels),
     .help = "Tags or labels of the region's resources, besides `metadata.labels`."},
    {.name = "database",
     .type = OPT_SECTION,
     .offset = offsetof(struct region, database),
     .section = &section_database,
     .help = "The region's database."},
    {.name = "network",
     .type = OPT_SECTION,
     .offset = offsetof(struct region, network),
     .section = &section_region_network,
     .help = "The region's private network."},
};
const struct option_section section_region = {.name = "regions.*",
                                              .help =
                                                  "A place where the service runs, with a database of its "
                                                  "own. The key is the region's name.",
                                              .size = sizeof(struct region),
                                              .options = region_options,
                                              .option_count = ARRAY_LEN(region_options),
                                              .has_position = true,
                                              .position_offset = offsetof(struct region, position)};
_Static_assert(offsetof(struct region, name) == 0, "a keyed section starts with its key");
