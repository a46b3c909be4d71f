/* What one region runs: machines, database, network, and what keeps them watched and safe. */
#include "provisioner/cost/internal.h"

#include <math.h>

#define LOAD_BALANCER_ZONES 3
#define GATEWAY_UNITS       20 /* an application gateway of two instances reserves ten each */
#define OWN_SECRETS         2  /* the database's password and the metrics token; a gateway has more */
#define SECRET_READS        10000.0

/* What the clouds' modules make (provisioner/<provider>/module). Azure's disks of 30 GB are sold as 32. */
static const struct fixed {
    const char *provider;
    int root_disk_gb, gateway_disk_gb;
    const char *gateway_type;
} modules[] = {{"aws", 20, 8, "t4g.small"}, {"gcp", 20, 10, "e2-small"}, {"azure", 32, 32, "Standard_B1s"}};

static const struct fixed *find_module(const char *provider)
{
    for (size_t i = 0; i < ARRAY_LEN(modules); i++) {
        if (strcmp(provider, modules[i].provider) == 0)
            return &modules[i];
    }
    return &modules[0];
}

static const struct fixed *module_of(const struct builder *builder)
{
    return find_module(builder->region->provider_name);
}

const char *cost_gateway_type(const char *provider)
{
    return find_module(provider)->gateway_type;
}

static bool is(const struct builder *builder, const char *provider)
{
    return strcmp(builder->region->provider_name, provider) == 0;
}

/* No cloud sends a bill for it, and that is no price of zero. */
void cost_add_own_host(struct builder *builder)
{
    cost_add(builder, "compute", "own host", 1, "month", cost_price(builder, "host"),
             "Own host: no cloud bills it, and what it costs you is not known here");
}

void cost_add_compute(struct builder *builder)
{
    const struct region *region = builder->region;
    const struct instance_type *type = catalog_instance(region->provider_name, region->instance_type, false);
    const struct price *price =
        type ? cost_machine_price(builder->arena, region->provider_name, region->location_name, type) : NULL;
    const char *label =
        arena_printf(builder->arena, "%lldx %s", (long long)region->instances, region->instance_type);
    cost_add(builder, "compute", label, (double)region->instances * COST_HOURS, "hour", price, "%s", label);
    unsigned percent = cost_sustained_use_percent(region->provider_name, region->instance_type);
    if (percent && price) {
        char text[COST_TEXT_MAX];
        int64_t saved = builder->out->items[builder->out->count - 1].monthly_nano_usd / 100 * percent;
        cost_note(builder, "sustained-use discount, not subtracted: %u %% of compute, %s a month", percent,
                  cost_format_usd(saved, text));
    }
    if (is(builder, "aws") && cost_is_burstable("aws", region->instance_type))
        cost_note(builder, "%s is charged extra for CPU above its baseline", region->instance_type);
    int disk_gb = module_of(builder)->root_disk_gb;
    cost_add(builder, "storage", "root disks", (double)region->instances * disk_gb, "GB-month",
             cost_price(builder, "disk"), "Root disks, %lld of %d GB", (long long)region->instances, disk_gb);
}

static const char *product(const struct region *region)
{
    static const char *const names[][2] = {
        {"rds", "RDS"}, {"cloudsql", "CloudSQL"}, {"azure-database", "Azure Database"}};
    for (size_t i = 0; i < ARRAY_LEN(names) && region->database.type; i++) {
        if (strcmp(region->database.type, names[i][0]) == 0)
            return names[i][1];
    }
    return region->database.type ? region->database.type : "database";
}

/* Azure has sizes that double from 32 GB to 4 TB; the others take what is asked. */
static double storage_gb(const struct builder *builder)
{
    double asked = (double)builder->region->database.storage_bytes / COST_BYTES_PER_GB, size = 32;
    if (!is(builder, "azure") || asked > 4096)
        return asked;
    while (size < asked)
        size *= 2;
    return size;
}

void cost_add_database(struct builder *builder)
{
    const struct region *region = builder->region;
    const struct region_database *database = &region->database;
    const struct instance_type *type = catalog_instance(region->provider_name, database->class, true);
    const struct price *price =
        type ? cost_database_price(builder->arena, region->provider_name, region->location_name, type,
                                   database->high_availability)
             : NULL;
    const char *spread = !database->high_availability ? "one zone"
                         : is(builder, "aws")         ? "Multi-AZ"
                                                      : "highly available";
    const char *label = arena_printf(builder->arena, "%s %s, %s", product(region), database->class, spread);
    cost_add(builder, "database", label, COST_HOURS, "hour", price, "%s", label);
    cost_add(builder, "storage", "database", storage_gb(builder), "GB-month",
             cost_storage_price(builder->arena, region->provider_name, region->location_name,
                                database->high_availability),
             "Database storage, %s", spread);
}

static void add_load_balancer(struct builder *builder)
{
    double gb = (double)builder->usage->load_balancer_bytes / COST_BYTES_PER_GB;
    cost_add(builder, "network", "load balancer", COST_HOURS, "hour", cost_price(builder, "lb"),
             "Load balancer");
    /* One capacity unit takes one GB in an hour. Of an application gateway's, those reserved by its smallest
     * number of instances are charged for whether they are used or not. */
    if (is(builder, "aws"))
        cost_add(builder, "network", "load balancer", gb, "hour", cost_price(builder, "lb-lcu"),
                 "Load balancer capacity units, one a GB");
    else if (is(builder, "azure"))
        cost_add(builder, "network", "load balancer", fmax(GATEWAY_UNITS * COST_HOURS, gb), "hour",
                 cost_price(builder, "lb-lcu"), "Application gateway's capacity units, %d at least",
                 GATEWAY_UNITS);
    else
        cost_add(builder, "network", "load balancer", gb, "GB", cost_price(builder, "lb-data"),
                 "Load balancer, data");
}

static void add_gateway(struct builder *builder)
{
    const struct region *region = builder->region;
    const struct fixed *module = module_of(builder);
    const struct instance_type *type = catalog_instance(region->provider_name, module->gateway_type, false);
    const struct price *price =
        type ? cost_machine_price(builder->arena, region->provider_name, region->location_name, type) : NULL;
    cost_add(builder, "network", "gateway", COST_HOURS, "hour", price, "Gateway for links, 1x %s",
             module->gateway_type);
    cost_add(builder, "network", "gateway", module->gateway_disk_gb, "GB-month", cost_price(builder, "disk"),
             "Gateway's disk");
}

static bool has_gateway(const struct builder *builder)
{
    return deployment_replicates(builder->deployment, builder->region) &&
           builder->deployment->network.links == LINK_TLS;
}

void cost_add_network(struct builder *builder)
{
    const struct region *region = builder->region;
    bool gateway = has_gateway(builder);
    add_load_balancer(builder);
    /* Google sells its NAT by the machine behind it, as for 32 at most. */
    double behind = is(builder, "gcp") ? fmin((double)region->instances, 32) : 1;
    cost_add(builder, "network", "NAT", behind * COST_HOURS, "hour", cost_price(builder, "nat"),
             "NAT gateway");
    cost_add(builder, "network", "NAT", (double)builder->usage->nat_bytes / COST_BYTES_PER_GB, "GB",
             cost_price(builder, "nat-data"), "NAT gateway, data");
    /* NAT's and the gateway's. Google's forwarding rules and Azure's application gateways include theirs. */
    int addresses = 1 + (is(builder, "aws") ? LOAD_BALANCER_ZONES : 0) + (gateway ? 1 : 0);
    cost_add(builder, "network", "addresses", addresses * COST_HOURS, "hour", cost_price(builder, "ipv4"),
             "Public IPv4 addresses, %d", addresses);
    if (is(builder, "azure"))
        cost_add(builder, "network", "private zone", 1, "month", cost_price(builder, "private-zone"),
                 "Private DNS zone of the database");
    if (gateway)
        add_gateway(builder);
}

static void add_backup(struct builder *builder)
{
    const struct deployment_backup *backup = &builder->deployment->backup;
    double stored = storage_gb(builder);
    double over = (double)builder->usage->backup_bytes / COST_BYTES_PER_GB;
    if (!backup->enabled)
        return;
    const struct price *price = cost_price(builder, "db-backup");
    /* The others keep as much as the disk is large for nothing; Google charges from the first byte. */
    if (is(builder, "gcp"))
        cost_add(builder, "backup", "backups", stored + over, "GB-month", price,
                 "Backups, as large as the database's disk");
    else if (over > 0)
        cost_add(builder, "backup", "backups", over, "GB-month", price, "Backups over what is free");
    if (backup->geo_redundant)
        cost_add(builder, "backup", "copy elsewhere", stored, "GB-month", price,
                 "Copy in another location, as large as the database's disk");
}

static void add_secrets(struct builder *builder)
{
    const struct deployment_service *service = &builder->deployment->service;
    int gateways = !has_gateway(builder) ? 0 : is(builder, "gcp") ? 2 : 1;
    double secrets = OWN_SECRETS + gateways + (double)service->secret_environment.count;
    if (is(builder, "azure")) {
        cost_add(builder, "secrets", "secrets", SECRET_READS / 1e3, "thousand",
                 cost_price(builder, "secret-requests"), "Key Vault, %g operations", SECRET_READS);
        return;
    }
    cost_add(builder, "secrets", "secrets", secrets, "month", cost_price(builder, "secret"),
             "Secrets in the cloud's store");
    /* Of logs and secrets; Google's module makes none. */
    if (is(builder, "aws"))
        cost_add(builder, "secrets", "key", 1, "month", cost_price(builder, "key"), "Encryption key");
}

void cost_add_operation(struct builder *builder)
{
    add_backup(builder);
    if (builder->deployment->monitoring.enabled) {
        cost_add(builder, "monitoring", "metrics", (double)builder->usage->metrics_requests / 1e3, "thousand",
                 cost_price(builder, "metrics-api"), "Metrics asked of the cloud by the collector");
        cost_add(builder, "monitoring", "logs", (double)builder->usage->log_bytes / COST_BYTES_PER_GB, "GB",
                 cost_price(builder, "logs"), "Logs taken in");
    }
    add_secrets(builder);
}
