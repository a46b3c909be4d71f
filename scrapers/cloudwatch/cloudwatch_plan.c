#include "scrapers/cloudwatch/cloudwatch_internal.h"

#include "lib/cloud/aws_endpoint.h"
#include "scrapers/cloudwatch/cloudwatch_names.h"
#include "scrapers/cloudwatch/cloudwatch_profiles.h"

#define TEXT_MAX   (64UL * 1024)
#define OWN_LABELS 3 /* name, account_id, region */

static const char *value_of(const struct string_pair *dimensions, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(dimensions[i].key, name) == 0)
            return dimensions[i].value;
    }
    return NULL;
}

static const struct cloudwatch_resource_kind *kind_of(const char *namespace_name,
                                                      const struct string_pair *dimensions, size_t count)
{
    for (const struct cloudwatch_resource_kind *kind = cloudwatch_resource_kinds; kind->namespace_name;
         kind++) {
        if (strcmp(kind->namespace_name, namespace_name) == 0 && value_of(dimensions, count, kind->dimension))
            return kind;
    }
    return NULL;
}

const char *cloudwatch_arn(const struct cloudwatch_state *state, const struct cloudwatch_wanted *wanted,
                           const struct string_pair *dimensions, size_t count, struct arena *arena)
{
    const struct cloudwatch_resource_kind *kind = kind_of(wanted->namespace_name, dimensions, count);
    if (!kind)
        return NULL;
    const char *partition = aws_partition(wanted->lane),
               *value = value_of(dimensions, count, kind->dimension);
    if (kind->global)
        return arena_printf(arena, "arn:%s:%s:::%s%s", partition, kind->service, kind->prefix, value);
    return arena_printf(arena, "arn:%s:%s:%s:%s:%s%s", partition, kind->service, wanted->lane,
                        state->account ? state->account : "", kind->prefix, value);
}

bool cloudwatch_wants(const struct cloudwatch_wanted *wanted, const struct string_pair *dimensions,
                      size_t count)
{
    if (wanted->any_dimensions)
        return true;
    if (count != wanted->dimension_count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *value = value_of(dimensions, count, wanted->dimensions[i].key);
        if (!value || !cloudwatch_matches(wanted->dimensions[i].value, str_from(value)))
            return false;
    }
    return true;
}

bool cloudwatch_is_static(const struct cloudwatch_wanted *wanted)
{
    for (size_t i = 0; i < wanted->dimension_count; i++) {
        if (strchr(wanted->dimensions[i].value, '*'))
            return false;
    }
    return !wanted->any_dimensions && wanted->dimension_count > 0;
}

/* "AWS/RDS|CPUUtilization|60|DBInstanceIdentifier=orders"; a statistic makes it a series' key. Lanes differ
 * by namespace only. */
static void write_key(struct buf *key, const struct cloudwatch_found *found, const char *statistic)
{
    const struct cloudwatch_wanted *wanted = found->wanted;
    buf_printf(key, "%s|%s|%lld|", wanted->namespace_name, wanted->name,
               (long long)(wanted->period_ns / NS_PER_S));
    for (size_t i = 0; i < found->dimension_count; i++)
        buf_printf(key, "%s%s=%s", i ? "," : "", found->dimensions[i].key, found->dimensions[i].value);
    if (statistic)
        buf_printf(key, "|%s", statistic);
}

static size_t make_labels(const struct cloudwatch_state *state, const struct cloudwatch_found *found,
                          struct arena *arena, struct label *labels)
{
    const char *arn = cloudwatch_arn(state, found->wanted, found->dimensions, found->dimension_count, arena);
    size_t count = 0;
    labels[count++] = LABEL_TEXT("name", arn ? arn : "global");
    labels[count++] = LABEL_TEXT("account_id", state->account);
    labels[count++] = LABEL_TEXT("region", found->wanted->lane);
    for (size_t i = 0; i < found->dimension_count; i++) {
        struct buf name = BUF_INIT(TEXT_MAX);
        cloudwatch_label(&name, "dimension_", str_from(found->dimensions[i].key));
        labels[count++] = (struct label){str_from(arena_strdup(arena, buf_str(&name))),
                                         str_from(found->dimensions[i].value)};
        buf_deinit(&name);
    }
    return count;
}

/* What a person would call it. */
static const char *resource_of(const struct cloudwatch_found *found)
{
    const char *group = value_of(found->dimensions, found->dimension_count, "TargetGroup");
    const struct cloudwatch_resource_kind *kind =
        kind_of(found->wanted->namespace_name, found->dimensions, found->dimension_count);
    if (group)
        return group;
    if (kind)
        return value_of(found->dimensions, found->dimension_count, kind->dimension);
    return found->dimension_count ? found->dimensions[0].value : "";
}

static struct cloud_metric *metric_of(struct cloud_plan *plan, const struct cloudwatch_wanted *wanted,
                                      const char *statistic)
{
    struct buf name = BUF_INIT(TEXT_MAX), help = BUF_INIT(TEXT_MAX);
    bool sum = strcmp(statistic, "Sum") == 0 || strcmp(statistic, "SampleCount") == 0;
    cloudwatch_name(&name, wanted->namespace_name, str_from(wanted->name), statistic);
    buf_printf(&help, "%s of %s in %s.", statistic, wanted->name, wanted->namespace_name);
    bool is_common = wanted->common && strcmp(wanted->common_statistic, statistic) == 0;
    const struct cloud_metric_desc desc = {
        .name = buf_text(&name),
        .help = buf_text(&help),
        .kind = sum ? CLOUD_SUM : CLOUD_GAUGE,
        .common = is_common ? wanted->common : NULL,
        .scale = wanted->scale,
        .offset = wanted->offset,
        .negative_is_absent = wanted->flags & CW_NEGATIVE_ABSENT,
        .absent_is_zero = wanted->flags & CW_ABSENT_ZERO,
    };
    struct cloud_metric *metric = cloud_plan_metric(plan, &desc);
    buf_deinit(&name);
    buf_deinit(&help);
    return metric;
}

void cloudwatch_plan_found(const struct cloudwatch_state *state, struct cloud_plan *plan,
                           const struct cloudwatch_found *found)
{
    const struct cloudwatch_wanted *wanted = found->wanted;
    struct arena *arena = cloud_plan_arena(plan);
    struct label *labels = arena_alloc(arena, (found->dimension_count + OWN_LABELS) * sizeof *labels);
    struct cloudwatch_query *data = arena_zalloc(arena, sizeof *data);
    struct buf key = BUF_INIT(TEXT_MAX);
    size_t count = make_labels(state, found, arena, labels);
    data->wanted = wanted;
    data->dimension_count = found->dimension_count;
    struct string_pair *dimensions = arena_alloc(arena, (found->dimension_count + 1) * sizeof *dimensions);
    for (size_t i = 0; i < found->dimension_count; i++)
        dimensions[i] = (struct string_pair){arena_strdup(arena, str_from(found->dimensions[i].key)),
                                             arena_strdup(arena, str_from(found->dimensions[i].value))};
    data->dimensions = dimensions;
    write_key(&key, found, NULL);
    const struct cloud_query_desc desc = {.key = buf_str(&key),
                                          .period_ns = wanted->period_ns,
                                          .lane = wanted->lane,
                                          .weight = (unsigned)wanted->statistic_count,
                                          .api = CW_GET_METRIC_DATA,
                                          .units = 1,
                                          .data = data};
    struct cloud_query *query = cloud_plan_query(plan, &desc);
    for (size_t i = 0; i < wanted->statistic_count; i++) {
        buf_reset(&key);
        write_key(&key, found, wanted->statistics[i]);
        data->series[i] = cloud_plan_series(plan, query, metric_of(plan, wanted, wanted->statistics[i]),
                                            buf_str(&key), labels, count, str_from(resource_of(found)));
    }
    buf_deinit(&key);
}
