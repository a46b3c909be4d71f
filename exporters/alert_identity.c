#include "exporters/alert_identity.h"

#include "lib/metrics/label.h"

#include <stdio.h>
#include <stdlib.h>

static int compare_names(const void *a, const void *b)
{
    const struct alert_text *left = a;
    const struct alert_text *right = b;
    return strcmp(left->name, right->name);
}

const struct alert_text *alert_identity_labels(struct arena *arena, const struct alert *alert,
                                               size_t *ret_count)
{
    struct alert_text *labels = arena_alloc(arena, alert->label_count * sizeof *labels + 1);
    size_t count = 0;
    for (size_t i = 0; labels && i < alert->label_count; i++) {
        const struct alert_text *label = &alert->labels[i];
        if (label->value && label->value[0] && label_name_valid(str_from(label->name)))
            labels[count++] = *label;
    }
    if (count)
        qsort(labels, count, sizeof *labels, compare_names);
    *ret_count = count;
    return labels;
}

/* FNV-1a 64, its published constants: Alertmanager's fingerprints must come out, so it is spelt out here. */
static uint64_t fnv_add(uint64_t hash, const char *text)
{
    const uint64_t prime = UINT64_C(1099511628211);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * prime;
    return (hash ^ 0xff) * prime;
}

void alert_identity_fingerprint(const struct alert_text *labels, size_t count,
                                char text[ALERT_FINGERPRINT_SIZE])
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < count; i++)
        hash = fnv_add(fnv_add(hash, labels[i].name), labels[i].value);
    (void)snprintf(text, ALERT_FINGERPRINT_SIZE, "%016llx", (unsigned long long)hash);
}

void alert_identity_group_key(const struct alert_text *labels, size_t count, struct buf *out)
{
    buf_append_text(out, "{}:{");
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%s%s=\"", i ? ", " : "", labels[i].name);
        label_append_escaped(out, str_from(labels[i].value));
        buf_append_byte(out, '"');
    }
    buf_append_byte(out, '}');
}
