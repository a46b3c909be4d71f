/* A deployment as its file describes it: parsed, checked, with every default filled in.
 *
 * Only what is the user's choice is in the file; what is a cloud's detail is in that cloud's folder. Keys are
 * written with dashes and read with dashes or underscores. After deployment_load() no region lacks an exact
 * instance type, a database class or an address range: `size: medium` and allotted ranges are resolved.
 *
 * Ownership: everything lives in the deployment's arena. Threads: immutable after loading. */
#ifndef FRAISEQL_PROVISIONER_DEPLOYMENT_H
#define FRAISEQL_PROVISIONER_DEPLOYMENT_H

#include "lib/core/option.h"
#include "provisioner/finding.h"

struct provider; /* provisioner/provider.h */
struct database; /* provisioner/database.h */
struct location; /* provisioner/catalog/catalog.h */

enum region_size { SIZE_UNSET, SIZE_SMALL, SIZE_MEDIUM, SIZE_LARGE };

struct deployment_metadata {
    const char *name; /* lower case letters, digits and dashes; starts with a letter, at most 40 bytes */
    const char *environment;  /* production, staging, development or another word */
    struct string_map labels; /* tags of every resource */
    struct option_position position;
};

struct region_database {
    const char *engine; /* "postgresql" */
    const char *type;   /* the provider's product: rds, cloudsql, azure-database; resolved, never NULL */
    const char *size, *tier, *sku; /* as written: at most one of them */
    const char
        *class;      /* resolved from these or from the region's size: db.t3.xlarge, db-custom-4-16384 ... */
    int64_t version; /* major: 14 to 18 */
    uint64_t storage_bytes, max_storage_bytes;
    bool high_availability, deletion_protection, public_access, encrypted;
    const char
        *encryption_key; /* a customer's key (ARN, resource name, id); NULL: the deployment makes one */
    struct option_position position;
};

struct region_network {
    const char *cidr; /* resolved: allotted when it was left out */
    bool allotted;
};

#define REGIONS_MAX 100 /* of a file, and the last place */

struct region {
    const char *name;
    const char *provider_name, *location_name; /* as written */
    const struct provider *provider;           /* resolved */
    const struct location *location;           /* resolved; NULL when the table does not know it */
    int size;                                  /* enum region_size, as written */
    const char *instance_type;                 /* resolved, never NULL */
    int64_t instances, max_instances;          /* max is resolved: at least `instances` */
    const char *account; /* AWS account or role to assume, GCP project, Azure subscription */
    /* Own hosts only. */
    struct string_list hosts;   /* as written */
    const char *host;           /* the first of them: "local" or ssh://...; NULL: none was written */
    const char *address;        /* numeric, as written; NULL: what the host gives */
    int64_t port_base;          /* 0: the usual ports */
    struct string_list without; /* components that do not run here */
    struct string_map labels;
    struct region_database database;
    struct region_network network;
    int64_t place; /* as written, from 1; 0: the one after the region above */
    size_t index;  /* the place that holds, from 0: ranges, ports and sequence offsets come from it */
    struct option_position position;
};

enum replication_mode { REPLICATION_NONE, REPLICATION_STREAMING, REPLICATION_ACTIVE_ACTIVE };

/* Whom a commit waits for: nobody else, the first standby, or any `quorum` of them. */
enum replication_commit { COMMIT_ASYNC, COMMIT_SYNC, COMMIT_QUORUM };

/* What leaves one region for the others, as a publication restricts it. */
struct replication_filter {
    const char *region;         /* whose rows are restricted */
    struct string_list tables;  /* only these leave; empty: all */
    struct string_list exclude; /* these never leave */
    const char *rows;           /* SQL condition on a row that may leave; NULL: any */
    struct option_position position;
};

struct deployment_replication {
    int mode;                        /* enum replication_mode */
    const char *consistency;         /* causal, eventual, strong */
    const char *conflict_resolution; /* crdt, last-update-wins, first-update-wins, error */
    const char *primary;             /* streaming: the region that writes; default: the first */
    struct string_list regions;      /* who takes part; empty: all */
    int commit;                      /* enum replication_commit; own hosts, streaming */
    int64_t quorum;
    struct section_list filters;   /* struct replication_filter */
    int64_t lag_target_ns, rpo_ns; /* 0: not given */
    struct option_position position;
};

struct compliance_waiver {
    const char *rule, *region;  /* region NULL: all */
    const char *reason, *until; /* YYYY-MM-DD, both required */
    struct option_position position;
};

struct deployment_compliance {
    struct string_list standards;     /* gdpr, hipaa, soc2, sox */
    struct string_map data_residency; /* region -> eu-only, eea-only, us-only, apac-only, or country code */
    struct section_list waivers;      /* struct compliance_waiver */
    struct option_position position;
};

struct deployment_service {
    const char *image; /* container image of the server */
    int64_t port;
    const char *schema; /* compiled schema: https, s3 or gs URL, or a path inside the image */
    const char *health_path, *readiness_path, *metrics_path;
    struct string_map environment;        /* extra variables; secrets go by secret_environment */
    struct string_map secret_environment; /* variable -> name in the cloud's secret store */
    const char *log_level;
    /* Own hosts only. */
    const char *binary;  /* FraiseQL's server on the hosts; NULL: `command`, else the example service */
    const char *version; /* of FraiseQL, as written: "2.19.0" or "2.19"; NULL: not told */
    struct string_list command; /* another server, with its arguments; empty: none */
    struct option_position position;
};

enum link_kind { LINK_TLS, LINK_WIREGUARD, LINK_VPN };
enum network_topology { TOPOLOGY_SHARED, TOPOLOGY_NAMESPACES };

struct deployment_network {
    const char *cidr;             /* from which regions are allotted, default 10.0.0.0/8: one /16 a region */
    int links;                    /* enum link_kind: between regions */
    int topology;                 /* enum network_topology: of own hosts */
    struct string_map latency_ms; /* "a/b" -> round trip between two regions, of namespaces */
    struct option_position position;
};

enum traffic_routing { ROUTE_LATENCY, ROUTE_GEOGRAPHIC, ROUTE_FAILOVER, ROUTE_WEIGHTED };
enum traffic_dns { DNS_NONE, DNS_ROUTE53, DNS_CLOUDFLARE };

struct deployment_traffic {
    const char *domain; /* NULL: no DNS, the regions' own endpoints are printed */
    int dns;            /* enum traffic_dns */
    int routing;        /* enum traffic_routing */
    int64_t health_interval_ns, ttl_ns;
    bool cdn;                                         /* Cloudflare cache in front */
    const char *cloudflare_account, *cloudflare_zone; /* ids */
    const char *dns_zone; /* id of Route 53's hosted zone; NULL: looked up by the domain's name */
    struct option_position position;
};

enum backup_store_type { STORE_LOCAL, STORE_S3 };

/* Own hosts: where pgBackRest keeps backups. */
struct deployment_backup_store {
    int type; /* enum backup_store_type */
    const char *bucket;
    const char *endpoint; /* https://NAME[:PORT]; NULL: AWS' of `location` */
    const char *location; /* the bucket's region */
    const char *prefix;   /* NULL: fraiseql/ and the deployment's name; a region's is below it */
    bool path_style;
    const char *ca_file;                /* of the deploying machine; NULL: what the hosts trust */
    const char *key_file, *secret_file; /* of the deploying machine; NULL: environment, else kept ones */
    struct option_position position;
};

struct deployment_backup {
    bool enabled;
    int64_t retention_ns;      /* of daily backups and of point-in-time recovery */
    const char *window;        /* "02:00-03:00" UTC */
    bool geo_redundant;        /* a copy in another region of the cloud */
    const char *copy_location; /* where that copy goes; NULL: the cloud's pair */
    bool restore_test;         /* a scheduled restore is verified */
    struct deployment_backup_store store;
    struct option_position position;
};

/* Own hosts: incidents of a region that its collector takes out of traffic, besides what HAProxy's own checks
 * see. */
enum switch_traffic { SWITCH_TRAFFIC_NONE, SWITCH_TRAFFIC_LAG, SWITCH_TRAFFIC_LAG_AND_BUDGET };

struct deployment_monitoring {
    bool enabled;
    const char *otlp_endpoint; /* NULL: the region's own collector */
    const char *location; /* a region's name: where metrics, logs and traces are kept; NULL: each its own */
    int64_t log_retention_ns, metrics_retention_ns;
    bool audit_log;
    double availability_percent;   /* filled from `availability` */
    const char *availability;      /* objective, "99.99" */
    bool prometheus, alertmanager; /* own hosts: one a region (of `location` only, where that is given) */
    const char *webhook;           /* own hosts: who is told of alerts; NULL: nobody */
    enum switch_traffic switch_traffic;
    struct option_position position;
};

struct deployment_cost {
    const char *currency;
    uint64_t monthly_budget_cents;                /* 0: none */
    int64_t warn_on_percent, critical_on_percent; /* of the budget */
    const char *billing_provider;
    struct option_position position;
};

enum state_backend { STATE_LOCAL, STATE_S3, STATE_GCS, STATE_AZURERM, STATE_PG, STATE_KUBERNETES };

struct deployment_state {
    int backend;      /* enum state_backend */
    const char *path; /* local: folder, default .fraiseql beside the file */
    const char *bucket, *prefix, *location, *storage_account, *resource_group, *container;
    const char *connection; /* pg: conninfo without a password (PGPASSWORD or a service file gives it) */
    const char *namespace, *secret_suffix;
    struct option_position position;
};

struct deployment {
    struct arena *arena;
    const char *path; /* of the file, as given */
    struct str source; /* its bytes */
    const struct node *root;
    int64_t version;
    struct deployment_metadata metadata;
    struct section_list region_list; /* struct region, file order: see deployment_region() */
    struct deployment_replication replication;
    struct deployment_compliance compliance;
    struct deployment_service service;
    struct deployment_network network;
    struct deployment_traffic traffic;
    struct deployment_backup backup;
    struct deployment_monitoring monitoring;
    struct deployment_cost cost;
    struct deployment_state state;
};

/* Reads, parses, resolves and checks. Every problem of the file becomes a finding: unreadable, malformed,
 * unknown keys, wrong values (rule "schema" or another, severity error), and contradictions (see finding.h).
 * 0 when what was read can be worked with, contradictions included; ERR_CONFIG when an error that is no
 * contradiction was found. The arena must outlive the deployment; *ret is only for findings' sake after an
 * error. */
int deployment_load(struct arena *arena, const char *path, struct deployment **ret, struct findings *findings)
    CHECK_RESULT;
/* The same from bytes, for tests and the fuzzer; `path` is the name in messages. */
int deployment_parse(struct arena *arena, const char *path, struct str bytes, struct deployment **ret,
                     struct findings *findings) CHECK_RESULT;

static inline size_t deployment_region_count(const struct deployment *deployment)
{
    return deployment->region_list.count;
}
static inline const struct region *deployment_region(const struct deployment *deployment, size_t i)
{
    return &((const struct region *)deployment->region_list.items)[i];
}
/* One more than the highest index: as many as there are regions where no place is left out. */
size_t deployment_places(const struct deployment *deployment);
/* NULL when there is none of that name. */
const struct region *deployment_find_region(const struct deployment *deployment, const char *name);
/* The deployment as its clouds see it, or its own hosts: with those regions alone. They are copies that keep
 * their `index`, so a position in this list is not one. Lives in the deployment's arena. */
struct deployment *deployment_part(const struct deployment *deployment, bool own_hosts);
/* Whether it is the first region on own hosts: what is judged once is judged with it. */
bool deployment_is_first_own(const struct deployment *deployment, const struct region *region);
/* Whether rows written elsewhere reach this region's database, or its rows leave it. */
bool deployment_replicates(const struct deployment *deployment, const struct region *region);
/* The node under a dotted path ("replication.mode", "compliance.data-residency.eu-west"), or the nearest one
 * above it that was written: for positions in messages. */
const struct node *deployment_node(const struct deployment *deployment, const char *dotted_path);

const struct option_section *deployment_section(void);
/* The whole effective configuration as YAML, defaults included. */
void deployment_dump(const struct deployment *deployment, struct buf *out);

#endif
