#include "scrapers/kubernetes/kube_field.h"

#include "lib/core/clock.h"
#include "scrapers/kubernetes/quantity.h"

struct picker {
    struct json_pull *pull;
    const struct kube_field *fields;
    size_t count;
    struct arena *arena;
    struct kube_value *values;
};

/* The part of a path from `from` to its next point. */
static struct str segment(const char *path, size_t from, bool *ret_last)
{
    const char *start = path + from, *point = strchr(start, '.');
    *ret_last = point == NULL;
    return (struct str){start, point ? (size_t)(point - start) : strlen(start)};
}

static void read_text(struct picker *picker, enum kube_field_type type, struct kube_value *value)
{
    struct str text;
    int64_t wall_ns;
    if (!json_pull_text(picker->pull, picker->arena, &text))
        return;
    if (type == KUBE_TEXT)
        *value = (struct kube_value){.type = type, .text = text};
    else if (type == KUBE_TIME && clock_parse_rfc3339(text, &wall_ns))
        *value = (struct kube_value){.type = type, .number = VALUE_OF_I64(wall_ns / NS_PER_S)};
    else if (type == KUBE_QUANTITY && quantity_parse(text, &value->number))
        value->type = type;
}

static void read_value(struct picker *picker, size_t field)
{
    struct kube_value *value = &picker->values[field];
    enum kube_field_type type = picker->fields[field].type;
    int64_t number;
    bool flag;
    if (type == KUBE_RAW) {
        *value = (struct kube_value){.type = type, .text = json_pull_raw(picker->pull)};
    } else if (type == KUBE_NUMBER) {
        if (json_pull_i64(picker->pull, &number))
            *value = (struct kube_value){.type = type, .number = VALUE_OF_I64(number)};
    } else if (type == KUBE_BOOL) {
        if (json_pull_bool(picker->pull, &flag))
            *value = (struct kube_value){.type = type, .number = VALUE_OF_BOOL(flag)};
    } else {
        read_text(picker, type, value);
    }
}

/* `mask`: fields that share the path up to `from`. The depth is that of the longest path. */
static void pick(struct picker *picker, uint32_t mask, size_t from)
{
    struct str key;
    if (!json_pull_object(picker->pull))
        return;
    while (json_pull_member(picker->pull, &key)) {
        uint32_t below = 0;
        size_t found = picker->count;
        for (size_t i = 0; i < picker->count; i++) {
            bool last;
            if (!(mask & UINT32_C(1) << i) || !str_equal(segment(picker->fields[i].path, from, &last), key))
                continue;
            if (last)
                found = i;
            else
                below |= UINT32_C(1) << i;
        }
        if (found < picker->count)
            read_value(picker, found);
        else if (below)
            pick(picker, below, from + key.len + 1);
        else
            json_pull_skip(picker->pull);
    }
}

bool kube_pick(struct json_pull *pull, const struct kube_field *fields, size_t count, struct arena *arena,
               struct kube_value *values)
{
    struct picker picker = {pull, fields, count, arena, values};
    memset(values, 0, count * sizeof *values);
    pick(&picker, count >= KUBE_FIELDS_MAX ? UINT32_MAX : (UINT32_C(1) << count) - 1, 0);
    return !pull->failed;
}

struct value kube_number(const struct kube_value *value)
{
    return value->type == KUBE_NONE ? (struct value){.kind = VALUE_ABSENT} : value->number;
}
