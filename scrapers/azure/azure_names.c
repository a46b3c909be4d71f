/* Names and labels as azure-metrics-exporter (webdevops) gives them: metrics/insights.go, insights.general.go
 * and insights.target.go of its repository, the ids as azuresdk/armclient/resourceid.go of
 * webdevops/go-common takes them apart, looked up in 2026-11. The name is that of its template
 * {name}_{metric}_{aggregation}_{unit}. */
#include "scrapers/azure/azure_internal.h"
#include "scrapers/cloud/vocabulary.h"

#include <ctype.h>
#include <strings.h>

#define TEXT_MAX 8192U

const char *azure_small(struct arena *arena, struct str text)
{
    char *copy = arena_strdup(arena, text);
    for (char *at = copy; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return copy;
}

const char *azure_id_part(const char *id, const char *behind, unsigned skip, struct arena *arena)
{
    const char *at = strcasestr(id, behind);
    if (!at)
        return "";
    for (at += strlen(behind); skip > 0; skip--) {
        at = strchr(at, '/');
        if (!at)
            return "";
        at++;
    }
    return azure_small(arena, (struct str){at, strcspn(at, "/")});
}

/* "/subscriptions/S/resourcegroups/G/providers/PROVIDER/KIND/NAME" */
const char *azure_resource_label(const char *id, struct arena *arena)
{
    return azure_id_part(id, "/providers/", 2, arena);
}

const char *azure_asked_id(const struct azure_set *set, const char *id, struct arena *arena)
{
    size_t length = strlen(set->type);
    if (!set->namespace_name || strncasecmp(set->namespace_name, set->type, length) != 0 ||
        set->namespace_name[length] != '/')
        return id;
    return azure_small(arena,
                       str_from(arena_printf(arena, "%s%s/default", id, set->namespace_name + length)));
}

/* --- names --------------------------------------------------------------------------------------------- */

/* What parts words becomes an underscore, what else has no place in a name is left out. */
static void write_part(struct buf *out, const char *text)
{
    if (out->len && text[0])
        buf_append_text(out, "_");
    for (const char *at = text; *at; at++) {
        if (strchr("- /.", *at))
            buf_append_text(out, "_");
        else if (isalnum((unsigned char)*at) || *at == '_' || *at == ':')
            buf_printf(out, "%c", tolower((unsigned char)*at));
    }
}

static void write_name(struct buf *out, const struct azure_row *row, const char *unit, bool counter)
{
    bool total = row->aggregation == AZ_TOTAL;
    write_part(out, AZURE_PREFIX);
    write_part(out, row->name);
    write_part(out, counter && total ? "" : azure_aggregations[row->aggregation]);
    write_part(out, unit);
    write_part(out, counter ? "total" : "");
}

static struct cloud_metric *metric_of(struct cloud_plan *plan, const struct azure_row *row, const char *unit)
{
    struct buf name = BUF_INIT(512), total = BUF_INIT(512), help = BUF_INIT(512);
    bool sums = row->aggregation == AZ_TOTAL || row->aggregation == AZ_COUNT;
    write_name(&name, row, unit, false);
    write_name(&total, row, unit, true);
    buf_printf(&help, "Azure Monitor's %s, %s, in %s.", row->name, azure_aggregations[row->aggregation],
               unit);
    const struct cloud_metric_desc desc = {.name = buf_text(&name),
                                           .help = buf_text(&help),
                                           .kind = sums ? CLOUD_SUM : CLOUD_GAUGE,
                                           .common = row->word ? cloud_common_find(row->word) : NULL,
                                           .scale = row->scale,
                                           .negative_is_absent = row->flags & AZ_NEGATIVE_ABSENT,
                                           .total_name = sums ? buf_text(&total) : NULL};
    struct cloud_metric *metric =
        name.failed || total.failed || help.failed ? NULL : cloud_plan_metric(plan, &desc);
    buf_deinit(&name);
    buf_deinit(&total);
    buf_deinit(&help);
    return metric;
}

/* --- labels -------------------------------------------------------------------------------------------- */

/* One dimension is the label `dimension`; of several each has its own, named by what Azure calls it. */
static size_t dimension_labels(const struct azure_set *set, const struct azure_dimension *dimensions,
                               struct label *labels, struct arena *arena)
{
    for (size_t i = 0; i < set->dimension_count; i++) {
        struct buf name = BUF_INIT(256);
        buf_append_text(&name, "dimension");
        for (const char *at = dimensions[i].name; *at && set->dimension_count > 1; at++) {
            if (isalnum((unsigned char)*at) || *at == '_')
                buf_printf(&name, "%c", at == dimensions[i].name ? toupper((unsigned char)*at) : *at);
        }
        labels[i] = (struct label){.name = str_from(arena_strdup(arena, buf_str(&name))),
                                   .value = str_from(dimensions[i].value)};
        buf_deinit(&name);
    }
    return set->dimension_count;
}

/* Values of a dimension add up in a counter; of a gauge each is shown. */
static const char *common_resource(const struct azure_query *data, const struct azure_row *row,
                                   const struct azure_dimension *dimensions, struct arena *arena)
{
    if (data->set->dimension_count == 0 || row->aggregation == AZ_TOTAL)
        return data->resource.name;
    return arena_printf(arena, "%s/%s", data->resource.name, dimensions[0].value);
}

struct cloud_series *azure_series(const struct azure_state *state, struct cloud_plan *plan,
                                  struct cloud_query *query, const struct azure_query *data, size_t row_index,
                                  const char *unit, const struct azure_dimension *dimensions)
{
    const struct azure_row *row = &data->set->rows[row_index];
    struct arena *arena = arena_new(0);
    struct label labels[4 + AZURE_DIMENSIONS_MAX] = {
        LABEL_TEXT("resourceID", data->asked_id),
        LABEL_TEXT("resourceName", azure_resource_label(data->resource.id, arena)),
        LABEL_TEXT("resourceGroup", data->resource.group), LABEL_TEXT("subscriptionID", state->subscription)};
    size_t count = 4 + dimension_labels(data->set, dimensions, &labels[4], arena);
    struct buf key = BUF_INIT(TEXT_MAX);
    buf_printf(&key, "%s|%s|%s|", data->asked_id, row->name, azure_aggregations[row->aggregation]);
    for (size_t i = 0; i < data->set->dimension_count; i++)
        buf_printf(&key, "%s%s", i ? "|" : "", dimensions[i].value);
    struct cloud_metric *metric = metric_of(plan, row, unit);
    struct cloud_series *series = NULL;
    if (!key.failed && metric)
        series = cloud_plan_series(plan, query, metric, buf_str(&key), labels, count,
                                   str_from(common_resource(data, row, dimensions, arena)));
    buf_deinit(&key);
    arena_free(arena);
    return series;
}
