#include "sla/event_copy.h"

#include "lib/core/arena.h"

static const char *put(char **at, struct str text)
{
    char *start = *at;
    if (text.len)
        memcpy(start, text.ptr, text.len);
    start[text.len] = '\0';
    *at += text.len + 1;
    return start;
}

struct sli_probe_event *event_copy_probe(const struct sli_probe_event *event)
{
    struct str probe = str_from(event->probe), target = str_from(event->target),
               region = str_from(event->region);
    struct sli_probe_event *copy = xmalloc(sizeof *copy + probe.len + target.len + region.len + 3);
    char *at = (char *)(copy + 1);
    *copy = *event;
    copy->probe = put(&at, probe);
    copy->target = put(&at, target);
    copy->region = put(&at, region);
    return copy;
}

struct sli_span_counts *event_copy_spans(const struct sli_span_counts *counts)
{
    struct str slo = str_from(counts->slo);
    size_t size = sizeof *counts + counts->label_count * sizeof(struct label) + slo.len + 1;
    for (size_t i = 0; i < counts->label_count; i++)
        size += counts->labels[i].name.len + counts->labels[i].value.len + 2;
    struct sli_span_counts *copy = xmalloc(size);
    struct label *labels = (struct label *)(void *)(copy + 1);
    char *at = (char *)(labels + counts->label_count);
    *copy = *counts;
    copy->slo = put(&at, slo);
    copy->labels = labels;
    for (size_t i = 0; i < counts->label_count; i++) {
        struct str name = counts->labels[i].name, value = counts->labels[i].value;
        labels[i].name = (struct str){put(&at, name), name.len};
        labels[i].value = (struct str){put(&at, value), value.len};
    }
    return copy;
}
