/* Inside the Azure Monitor scraper: azure_sets.c says what a target asks for, azure_discover.c finds
 * resources and makes the plan, azure_names.c names series, azure_request.c asks for values and reads them,
 * azure_profiles.c is data.
 *
 * All answers are outside bytes. Threads: the scrape loop. */
#ifndef FRAISEQL_SCRAPERS_AZURE_AZURE_INTERNAL_H
#define FRAISEQL_SCRAPERS_AZURE_AZURE_INTERNAL_H

#include "lib/cloud/azure_signin.h"
#include "lib/core/json.h"
#include "scrapers/cloud/config.h"
#include "scrapers/cloud/source.h"
#include "scrapers/scraper.h"

#define AZURE_RESOURCES_MAX  50U /* of one getBatch */
#define AZURE_NAMES_MAX      20U /* of one request */
#define AZURE_ROWS_MAX       24U /* of one set */
#define AZURE_DIMENSIONS_MAX 5U
#define AZURE_SERIES_MAX     100U
#define AZURE_PREFIX         "azurerm_resource_metric"

struct azure_credentials {
    const char *tenant, *client;
    const char *secret_file, *certificate_file, *token_file;
};

struct azure_metric_config {
    const char *type, *namespace_name, *name;
    struct string_list aggregations;
    struct string_map dimensions; /* "*": each value apart */
    int64_t period_ns;
    struct option_position position;
};

struct azure_config {
    struct scraper_target target;
    struct cloud_config cloud;
    const char *subscription, *resource_group;
    const struct azure_credentials *credentials; /* NULL: not given */
    struct string_list profiles;
    struct section_list metrics; /* struct azure_metric_config */
};

extern const struct option_section azure_section;
extern const struct cloud_source azure_source;

enum azure_api { AZ_BATCH, AZ_METRICS, AZ_RESOURCES, AZ_APIS };
enum { AZ_MANAGER, AZ_MONITOR }; /* credentials: one an audience */

/* --- profiles: data */
enum azure_aggregation { AZ_AVERAGE, AZ_MINIMUM, AZ_MAXIMUM, AZ_TOTAL, AZ_COUNT, AZ_AGGREGATIONS };
extern const char *const azure_aggregations[AZ_AGGREGATIONS]; /* as in answers: "average" */

enum { AZ_NEGATIVE_ABSENT = 1 };

struct azure_row {
    const char *name; /* Azure's: "cpu_percent" */
    const char *unit; /* "Percent"; NULL: as the answer says */
    enum azure_aggregation aggregation;
    const char *word; /* of the common vocabulary; NULL: none */
    double scale;
    unsigned flags;
};

struct azure_dimension {
    const char *name, *value; /* "*": each value apart; else only this one */
};

/* What one request asks for. */
struct azure_set {
    const char *profile;        /* NULL: of the target's own metrics */
    const char *type;           /* of its resources: "Microsoft.Compute/virtualMachines" */
    const char *namespace_name; /* of its metrics; NULL: the type */
    int period_s;
    const struct azure_dimension *dimensions; /* by which values are split */
    size_t dimension_count;
    const struct azure_row *rows; /* those with the same name together */
    size_t row_count;
};
extern const struct azure_set azure_sets[]; /* ended by a NULL profile */

/* --- what a target asks for: azure_sets.c */
struct azure_sets {
    const struct azure_set *const *items; /* those of the same type together */
    size_t count;
};
/* The sets of its profiles and those made of its own metrics. What a profile asks for already is left out of
 * the latter. Lives in the arena, which outlives every query of it. */
struct azure_sets azure_sets_choose(const struct azure_config *config, struct arena *arena);
/* -1: none. As in answers, or with a capital letter. */
int azure_aggregation_find(const char *text);
/* Time grains that Azure knows: "PT5M"; NULL: none of so many seconds. */
const char *azure_grain(int64_t seconds);

/* --- what is found */
struct azure_resource {
    const char *id;   /* in small letters */
    const char *name; /* as it was given */
    const char *type, *group, *location;
};

/* Behind cloud_query.data. */
struct azure_query {
    const struct azure_set *set;
    struct azure_resource resource;
    const char *asked_id; /* the resource's, or that of a service inside it whose namespace is asked for */
    struct cloud_series *series[AZURE_ROWS_MAX]; /* where name and labels are known before an answer */
};

struct azure_state {
    const struct azure_config *config;
    const struct azure_cloud *cloud;
    struct arena *own; /* of what lives as long as the state */
    struct azure_sets sets;
    const char *subscription; /* in small letters */
    struct arena *arena;      /* of the discovery under way */
    struct azure_resource *resources;
    size_t resource_count, resource_capacity;
    unsigned pages;
};

struct azure_state *azure_state_new(const struct azure_config *config, const struct azure_cloud *cloud);
void azure_state_free(void *state);

/* Where Resource Manager is, or what stands for all of Azure; without a slash at its end. */
struct str azure_base(const struct azure_state *state);
/* The audience of the data plane of one of Azure's clouds: "https://metrics.monitor.azure.com". */
const char *azure_monitor_audience(const struct azure_cloud *cloud);
bool azure_is_global(const struct azure_resource *resource);

/* The tree of an answer that succeeded; else ret_root is NULL, and 0 or the code of a refusal. */
int azure_parse(const struct http_response *answer, const char *what, struct arena *arena,
                const struct node **ret_root, struct cloud_outcome *ret_outcome, struct error *err)
    CHECK_RESULT;

/* --- names: azure_names.c */
/* The series of a row, in that unit, with what an answer says of its dimensions: as many as the set has. */
struct cloud_series *azure_series(const struct azure_state *state, struct cloud_plan *plan,
                                  struct cloud_query *query, const struct azure_query *data, size_t row,
                                  const char *unit, const struct azure_dimension *dimensions);
/* The id that is asked for, in small letters: ".../storageaccounts/a/blobservices/default" for the namespace
 * Microsoft.Storage/storageAccounts/blobServices. */
const char *azure_asked_id(const struct azure_set *set, const char *id, struct arena *arena);
/* What stands up to the next slash behind a text in an id and `skip` parts more, in small letters; "":
 * nothing. */
const char *azure_id_part(const char *id, const char *behind, unsigned skip, struct arena *arena);
/* The label resourceName: of what lies inside a resource that of the resource. */
const char *azure_resource_label(const char *id, struct arena *arena);
const char *azure_small(struct arena *arena, struct str text);

int azure_discover(void *state, struct cloud_plan *plan, const struct http_response *answer, int64_t wall_ns,
                   struct arena *arena, enum cloud_step *ret_step, struct cloud_request *ret_request,
                   struct cloud_outcome *ret_outcome, struct error *err);
int azure_render(void *state, const struct cloud_batch *batch, struct arena *arena,
                 struct cloud_request *ret_request, struct error *err);
int azure_read(void *state, const struct cloud_batch *batch, const struct http_response *answer,
               int64_t wall_ns, struct cloud_reading *reading, struct arena *arena,
               struct cloud_outcome *ret_outcome, struct error *err);

#endif
