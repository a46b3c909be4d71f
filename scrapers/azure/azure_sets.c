#include "scrapers/azure/azure_internal.h"

#include <strings.h>

static const struct {
    int64_t seconds;
    const char *text;
} grains[] = {{60, "PT1M"},   {300, "PT5M"},   {900, "PT15M"},   {1800, "PT30M"},
              {3600, "PT1H"}, {21600, "PT6H"}, {43200, "PT12H"}, {86400, "P1D"}};

const char *azure_grain(int64_t seconds)
{
    for (size_t i = 0; i < ARRAY_LEN(grains); i++) {
        if (grains[i].seconds == seconds)
            return grains[i].text;
    }
    return NULL;
}

int azure_aggregation_find(const char *text)
{
    for (int i = 0; i < AZ_AGGREGATIONS; i++) {
        if (strcasecmp(azure_aggregations[i], text) == 0)
            return i;
    }
    return -1;
}

static bool is_wanted(const struct string_list *profiles, const char *name)
{
    for (size_t i = 0; i < profiles->count; i++) {
        if (strcmp(profiles->items[i], name) == 0)
            return true;
    }
    return false;
}

/* --- sets of `metrics` --------------------------------------------------------------------------------- */

struct making {
    const struct azure_config *config;
    struct arena *arena;
    struct azure_set **items; /* the last `own` ones are of `metrics` */
    size_t count, profiles;
};

static const char *namespace_of(const char *type, const char *namespace_name)
{
    return namespace_name ? namespace_name : type;
}

static bool same_question(const struct azure_set *set, const struct azure_metric_config *metric)
{
    if (strcasecmp(set->type, metric->type) != 0 ||
        strcasecmp(namespace_of(set->type, set->namespace_name),
                   namespace_of(metric->type, metric->namespace_name)) != 0 ||
        set->period_s != metric->period_ns / NS_PER_S || set->dimension_count != metric->dimensions.count)
        return false;
    for (size_t i = 0; i < set->dimension_count; i++) {
        if (strcasecmp(set->dimensions[i].name, metric->dimensions.items[i].key) != 0 ||
            strcmp(set->dimensions[i].value, metric->dimensions.items[i].value) != 0)
            return false;
    }
    return true;
}

static bool has_row(const struct azure_set *set, const char *name, int aggregation)
{
    for (size_t i = 0; i < set->row_count; i++) {
        if (strcasecmp(set->rows[i].name, name) == 0 && (int)set->rows[i].aggregation == aggregation)
            return true;
    }
    return false;
}

static size_t count_names(const struct azure_set *set)
{
    size_t names = 0;
    for (size_t i = 0; i < set->row_count; i++)
        names += i == 0 || strcmp(set->rows[i].name, set->rows[i - 1].name) != 0;
    return names;
}

/* A set with room for one name more; made when there is none. */
static struct azure_set *set_of(struct making *making, const struct azure_metric_config *metric)
{
    for (size_t i = making->profiles; i < making->count; i++) {
        struct azure_set *set = making->items[i];
        if (same_question(set, metric) && count_names(set) < AZURE_NAMES_MAX &&
            set->row_count + AZ_AGGREGATIONS <= AZURE_ROWS_MAX)
            return set;
    }
    struct azure_dimension *dimensions =
        arena_zalloc(making->arena, (metric->dimensions.count + 1) * sizeof *dimensions);
    for (size_t i = 0; i < metric->dimensions.count; i++)
        dimensions[i] =
            (struct azure_dimension){metric->dimensions.items[i].key, metric->dimensions.items[i].value};
    struct azure_set *set = arena_zalloc(making->arena, sizeof *set);
    *set = (struct azure_set){.type = metric->type,
                              .namespace_name = metric->namespace_name,
                              .period_s = (int)(metric->period_ns / NS_PER_S),
                              .dimensions = dimensions,
                              .dimension_count = metric->dimensions.count,
                              .rows = arena_zalloc(making->arena, AZURE_ROWS_MAX * sizeof *set->rows)};
    making->items[making->count++] = set;
    return set;
}

static bool is_asked(const struct making *making, const struct azure_metric_config *metric, int aggregation)
{
    for (size_t i = 0; i < making->count; i++) {
        if (same_question(making->items[i], metric) && has_row(making->items[i], metric->name, aggregation))
            return true;
    }
    return false;
}

static void add_metric(struct making *making, const struct azure_metric_config *metric)
{
    struct azure_set *set = NULL;
    for (size_t i = 0; i < metric->aggregations.count; i++) {
        int aggregation = azure_aggregation_find(metric->aggregations.items[i]);
        if (aggregation < 0 || is_asked(making, metric, aggregation))
            continue;
        if (!set)
            set = set_of(making, metric);
        ((struct azure_row *)set->rows)[set->row_count++] =
            (struct azure_row){.name = metric->name, .aggregation = (enum azure_aggregation)aggregation};
    }
}

/* --- all ----------------------------------------------------------------------------------------------- */

/* Discovery names each type once. */
static void bring_types_together(struct azure_set **items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct azure_set *set = items[i];
        size_t at = i;
        while (at > 0 && strcasecmp(items[at - 1]->type, set->type) != 0)
            at--;
        if (at == 0)
            continue; /* the first of its type */
        memmove(&items[at + 1], &items[at], (i - at) * sizeof *items);
        items[at] = set;
    }
}

struct azure_sets azure_sets_choose(const struct azure_config *config, struct arena *arena)
{
    size_t most = config->metrics.count;
    for (const struct azure_set *set = azure_sets; set->profile; set++)
        most++;
    struct making making = {.config = config,
                            .arena = arena,
                            .items = arena_zalloc(arena, (most + 1) * sizeof(struct azure_set *))};
    for (const struct azure_set *set = azure_sets; set->profile; set++) {
        if (is_wanted(&config->profiles, set->profile))
            making.items[making.count++] = (struct azure_set *)set;
    }
    making.profiles = making.count;
    for (size_t i = 0; i < config->metrics.count; i++)
        add_metric(&making, SECTION_AT(const struct azure_metric_config, config->metrics, i));
    bring_types_together(making.items, making.count);
    return (struct azure_sets){(const struct azure_set *const *)making.items, making.count};
}
