/* Inside the Google source. google_discover.c asks for the descriptor of each metric type and makes the plan,
 * google_series.c asks for time series and reads them, google_distribution.c reads distributions.
 *
 * API: Cloud Monitoring v3, REST: projects.metricDescriptors.get, projects.timeSeries.list
 * (google/monitoring/v3/metric_service.proto, google/api/{metric,distribution}.proto). Names and labels are
 * stackdriver_exporter's.
 *
 * All answers are outside bytes. Threads: the scrape loop. */
#ifndef FRAISEQL_SCRAPERS_GOOGLE_GOOGLE_INTERNAL_H
#define FRAISEQL_SCRAPERS_GOOGLE_GOOGLE_INTERNAL_H

#include "lib/core/json.h"
#include "scrapers/cloud/config.h"
#include "scrapers/cloud/source.h"
#include "scrapers/scraper.h"

#define GOOGLE_PERIOD_MIN_NS (60 * NS_PER_S) /* the service keeps nothing finer */
#define GOOGLE_PAGE_POINTS   100000U         /* pageSize counts points in the view FULL */
#define GOOGLE_RESOURCES_MAX 32U             /* kinds of monitored resources of one metric type */
#define GOOGLE_BOUNDS_MAX    64U             /* of a histogram of ours; finer ones are merged */
#define GOOGLE_FINE_MAX      5000U           /* bounds of one of Google's that are read */

enum google_absent { GOOGLE_ABSENT_AUTO, GOOGLE_ABSENT_IS_ZERO, GOOGLE_ABSENT_IS_UNKNOWN };

struct google_metric_config {
    const char *type; /* "loadbalancing.googleapis.com/https/request_count" */
    int64_t period_ns;
    int absent;         /* enum google_absent */
    const char *filter; /* further conditions; NULL: none */
    struct option_position position;
};

struct google_config {
    struct scraper_target target;
    struct cloud_config cloud;
    const char *project, *credentials_file;
    struct string_list profiles;
    struct section_list metrics; /* struct google_metric_config */
};

extern const struct option_section google_section;
extern const struct cloud_source google_source;

enum google_api { GOOGLE_SERIES, GOOGLE_DESCRIPTOR, GOOGLE_APIS };

/* --- profiles: data, google_profiles.c */
enum { GOOGLE_NEGATIVE_ABSENT = 1, GOOGLE_ABSENT_ZERO = 2 };

struct google_profile_metric {
    const char *type;
    unsigned flags;
    const char *word; /* of the common vocabulary; NULL: none */
    double scale;     /* to the word's unit; 0: 1 */
    const char *filter;
};

struct google_profile {
    const char *name;
    const struct google_profile_metric *metrics;
    size_t count;
};

extern const struct google_profile google_profiles[]; /* ended by a NULL name */
const struct google_profile *google_profile_find(const char *name);
/* What any profile knows of a type: its flags; 0: nothing. */
unsigned google_type_flags(const char *type);

/* --- what is wanted, and what Google says of it */
enum google_value { GOOGLE_NUMBER, GOOGLE_BOOL, GOOGLE_DISTRIBUTION, GOOGLE_OTHER };
enum google_kind { GOOGLE_GAUGE, GOOGLE_DELTA, GOOGLE_CUMULATIVE };

struct google_family {
    const char *resource; /* kind of monitored resource: "cloudsql_database" */
    struct cloud_metric *metric;
};

/* Behind cloud_query.data. */
struct google_query {
    const char *type, *filter, *unit;
    enum google_kind kind;
    enum google_value value;
    struct google_family families[GOOGLE_RESOURCES_MAX];
    size_t family_count;
};

struct google_wanted {
    struct google_profile_metric metric;
    int64_t period_ns; /* 0: the sample period that Google names */
};

struct google_state {
    const struct google_config *config;
    struct google_wanted *wanted;
    size_t wanted_count;
    size_t asked; /* descriptors, by the discovery under way */
};

struct google_state *google_state_new(const struct google_config *config);
void google_state_free(void *state);

/* GET; `path` begins behind the project: "/timeSeries?...", escaped. */
void google_request(const struct google_state *state, enum google_api api, const char *path,
                    struct arena *arena, struct cloud_request *ret_request);
/* The tree of an answer that succeeded. NULL otherwise: *ret_outcome says what it means, and the code is 0
 * or, of a refusal, negative. */
int google_parse(const struct http_response *answer, struct arena *arena, const struct node **ret_root,
                 struct cloud_outcome *ret_outcome, struct error *err);
/* "stackdriver_cloudsql_database_cloudsql_googleapis_com_database_up" */
const char *google_family_name(const char *resource, const char *type, struct arena *arena);

int google_discover(void *state, struct cloud_plan *plan, const struct http_response *answer, int64_t wall_ns,
                    struct arena *arena, enum cloud_step *ret_step, struct cloud_request *ret_request,
                    struct cloud_outcome *ret_outcome, struct error *err);
int google_render(void *state, const struct cloud_batch *batch, struct arena *arena,
                  struct cloud_request *ret_request, struct error *err);
int google_read(void *state, const struct cloud_batch *batch, const struct http_response *answer,
                int64_t wall_ns, struct cloud_reading *reading, struct arena *arena,
                struct cloud_outcome *ret_outcome, struct error *err);

/* google.api.Distribution as one of ours; false where it makes no sense. In the arena. */
bool google_distribution_read(const struct node *value, struct arena *arena, struct cloud_distribution *ret);

#endif
