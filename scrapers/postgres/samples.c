#include "scrapers/postgres/samples.h"

#include "scrapers/postgres/settings.h"

#include <stdlib.h>

void samples_init(struct samples *samples)
{
    *samples = (struct samples){.arena = arena_new(0)};
}

void samples_deinit(struct samples *samples)
{
    free(samples->items);
    if (samples->arena)
        arena_free(samples->arena);
    *samples = (struct samples){0};
}

void samples_reset(struct samples *samples)
{
    arena_reset(samples->arena);
    samples->count = 0;
    samples->observed = false;
}

void samples_add(struct samples *samples, const struct pg_metric *metric, struct label *labels, size_t count,
                 struct value value)
{
    if (value.kind == VALUE_ABSENT)
        return;
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity ? samples->capacity * 2 : 32;
        samples->items = xrealloc(samples->items, samples->capacity * sizeof *samples->items);
    }
    samples->items[samples->count++] =
        (struct sample){.metric = metric, .labels = labels, .label_count = (uint32_t)count, .value = value};
}

struct value samples_parse_value(struct str text)
{
    uint64_t whole;
    int64_t negative;
    double number;

    if (!text.ptr || text.len == 0)
        return (struct value){.kind = VALUE_ABSENT};
    if (text.len == 1 && (*text.ptr == 't' || *text.ptr == 'f'))
        return VALUE_OF_BOOL(*text.ptr == 't');
    if (str_to_u64(text, &whole))
        return VALUE_OF_U64(whole);
    if (str_to_i64(text, &negative))
        return VALUE_OF_I64(negative);
    if (str_to_double(text, &number))
        return VALUE_OF_F64(number);
    return (struct value){.kind = VALUE_ABSENT};
}

static void read_settings(struct samples *samples, const struct cells *cells)
{
    for (size_t row = 0; row < cells->rows; row++) {
        struct pg_metric *metric = arena_alloc(samples->arena, sizeof *metric);
        struct value value;
        if (settings_convert(cells->get(cells->ctx, row, 0), cells->get(cells->ctx, row, 1),
                             cells->get(cells->ctx, row, 2), cells->get(cells->ctx, row, 3), samples->arena,
                             metric, &value))
            samples_add(samples, metric, NULL, 0, value);
    }
}

/* Copies the label texts of a row once; its metrics then take those that are theirs. */
static struct label *read_labels(struct samples *samples, const struct query *query,
                                 const struct cells *cells, size_t row)
{
    struct label *labels = arena_alloc(samples->arena, (query->label_count + 1) * sizeof *labels);

    for (size_t i = 0; i < query->label_count; i++) {
        struct str text = cells->get(cells->ctx, row, i);
        labels[i].name = str_from(query->group->labels[i].name);
        labels[i].value = (struct str){arena_strdup(samples->arena, text), text.len};
    }
    return labels;
}

static struct label *choose_labels(struct samples *samples, const struct query *query, struct label *all,
                                   uint8_t mask, size_t *ret_count)
{
    *ret_count = mask == NO_LABELS ? 0 : query->label_count;
    if (mask == ALL_LABELS || mask == NO_LABELS)
        return all;
    struct label *chosen = arena_alloc(samples->arena, query->label_count * sizeof *chosen);
    size_t count = 0;
    for (size_t i = 0; i < query->label_count; i++) {
        if (mask >> i & 1)
            chosen[count++] = all[i];
    }
    *ret_count = count;
    return chosen;
}

void samples_read(struct samples *samples, const struct query *query, const struct cells *cells)
{
    samples_reset(samples);
    samples->observed = true;
    if (query->group->flags & GROUP_SETTINGS) {
        if (cells->columns >= 4)
            read_settings(samples, cells);
        return;
    }
    if (cells->columns < query->label_count + query->metric_count)
        return;
    struct label **labels = arena_alloc(samples->arena, (cells->rows + 1) * sizeof *labels);
    for (size_t row = 0; row < cells->rows; row++)
        labels[row] = read_labels(samples, query, cells, row);
    for (size_t i = 0; i < query->metric_count; i++) {
        for (size_t row = 0; row < cells->rows; row++) {
            struct value value = samples_parse_value(cells->get(cells->ctx, row, query->label_count + i));
            size_t count;
            if (value.kind == VALUE_ABSENT)
                continue;
            struct label *chosen =
                choose_labels(samples, query, labels[row], query->metrics[i]->labels, &count);
            samples_add(samples, query->metrics[i], chosen, count, value);
        }
    }
}

const struct sample *samples_find(const struct samples *samples, const char *family, size_t *ret_count)
{
    size_t first = 0, end;

    while (first < samples->count &&
           !(samples->items[first].metric->name && strcmp(samples->items[first].metric->name, family) == 0))
        first++;
    for (end = first; end < samples->count && samples->items[end].metric == samples->items[first].metric;)
        end++;
    *ret_count = end - first;
    return first < end ? &samples->items[first] : NULL;
}

static struct batch_family *open_family(struct batch *batch, const struct pg_metric *metric, const char *name)
{
    struct metric_desc desc = {.name = name, .type = metric->type, .help = metric->help};

    return name ? batch_family(batch, &desc) : NULL;
}

static void add_sample(struct batch *batch, struct batch_family *family, const struct sample *sample)
{
    struct label labels[GROUP_MAX_LABELS + 1]; /* batch_add() reorders */

    if (!family)
        return;
    for (size_t i = 0; i < sample->label_count; i++)
        labels[i] = sample->labels[i];
    batch_add(batch, family, labels, sample->label_count, sample->value);
}

void samples_publish(const struct samples *samples, struct batch *batch, enum postgres_names names)
{
    const struct pg_metric *metric = NULL;
    struct batch_family *today = NULL, *legacy = NULL;

    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *sample = &samples->items[i];
        if (!samples->observed && sample->metric->type != METRIC_COUNTER)
            continue;
        if (sample->metric != metric) {
            metric = sample->metric;
            bool old_too = metric->legacy && names != NAMES_NEW;
            bool new_too = !metric->legacy || names != NAMES_LEGACY;
            today = new_too ? open_family(batch, metric, metric->name) : NULL;
            legacy = old_too ? open_family(batch, metric, metric->legacy) : NULL;
        }
        add_sample(batch, today, sample);
        add_sample(batch, legacy, sample);
    }
}
