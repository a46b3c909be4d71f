#include "scrapers/kubernetes/kube_kind.h"

#include "scrapers/kubernetes/quantity.h"

#include <strings.h>

const struct kube_kind *const kube_kinds[] = {
    &kube_nodes, &kube_pods,   &kube_deployments, &kube_statefulsets, &kube_daemonsets,
    &kube_jobs,  &kube_claims, &kube_autoscalers, &kube_budgets,      &kube_slices,
    NULL,
};

const struct kube_kind *kube_kind_find(const char *name)
{
    for (size_t i = 0; kube_kinds[i]; i++) {
        if (strcmp(kube_kinds[i]->name, name) == 0)
            return kube_kinds[i];
    }
    return NULL;
}

void kube_emit_begin(struct kube_emit *emit, const struct kube_kind *kind)
{
    emit->kind = kind;
    memset(emit->families, 0, sizeof emit->families);
}

static void set_base(struct kube_emit *emit, const struct kube_value *values)
{
    const struct kube_kind *kind = emit->kind;
    emit->base_count = 0;
    emit->base[emit->base_count++] = (struct label){str_from(kind->label), values[KUBE_NAME].text};
    if (kind->namespaced)
        emit->base[emit->base_count++] = LABEL("namespace", values[KUBE_NAMESPACE].text);
    if (kind->uid)
        emit->base[emit->base_count++] = LABEL("uid", values[KUBE_UID].text);
}

bool kube_emit_object(struct kube_emit *emit, struct json_pull *pull)
{
    const struct kube_kind *kind = emit->kind;
    struct kube_value values[KUBE_FIELDS_MAX];
    arena_reset(emit->arena);
    if (!kube_pick(pull, kind->fields, kind->field_count, emit->arena, values))
        return false;
    if (values[KUBE_NAME].type == KUBE_NONE)
        return true;
    set_base(emit, values);
    for (size_t i = 0; i < kind->row_count; i++) {
        const struct kube_row *row = &kind->rows[i];
        struct value number = kube_number(&values[row->field]);
        if (number.kind == VALUE_ABSENT && row->zero)
            number = VALUE_OF_U64(0);
        kube_put(emit, row->metric, number, NULL, 0);
    }
    if (kind->emit)
        kind->emit(emit, values);
    return true;
}

void kube_put(struct kube_emit *emit, unsigned metric, struct value value, const struct label *more,
              size_t count)
{
    struct label labels[KUBE_LABELS_MAX];
    if (value.kind == VALUE_ABSENT || emit->base_count + count > ARRAY_LEN(labels))
        return;
    if (emit->budget == 0) {
        emit->over_limit++;
        return;
    }
    emit->budget--;
    memcpy(labels, emit->base, emit->base_count * sizeof *labels);
    if (count > 0)
        memcpy(labels + emit->base_count, more, count * sizeof *labels);
    if (!emit->families[metric])
        emit->families[metric] = batch_family(emit->batch, &emit->kind->metrics[metric]);
    batch_add(emit->batch, emit->families[metric], labels, emit->base_count + count, value);
}

static bool equal_ignoring_case(struct str text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.ptr, word, text.len) == 0;
}

void kube_put_condition(struct kube_emit *emit, unsigned metric, struct str type, struct str status)
{
    static const char *const statuses[] = {"true", "false", "unknown"};
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct label more[2] = {LABEL("condition", type), LABEL_TEXT("status", statuses[i])};
        kube_put(emit, metric, VALUE_OF_BOOL(equal_ignoring_case(status, statuses[i])), more, 2);
    }
}

void kube_put_choice(struct kube_emit *emit, unsigned metric, const char *label, const char *const *choices,
                     struct str actual)
{
    for (size_t i = 0; choices[i]; i++) {
        struct label more = {str_from(label), str_from(choices[i])};
        kube_put(emit, metric, VALUE_OF_BOOL(str_equal_text(actual, choices[i])), &more, 1);
    }
}

static const char *unit_of(struct str resource)
{
    if (str_equal(resource, STR("cpu")))
        return "core";
    bool bytes = str_equal(resource, STR("memory")) || str_equal(resource, STR("storage")) ||
                 str_equal(resource, STR("ephemeral-storage")) || str_starts(resource, STR("hugepages-")) ||
                 str_starts(resource, STR("attachable-volumes-"));
    return bytes ? "byte" : "integer";
}

/* As kube-state-metrics writes them: what a label name may not hold becomes an underscore. */
static struct str resource_label(struct arena *arena, struct str resource)
{
    char *text = arena_strdup(arena, resource);
    for (size_t i = 0; text && i < resource.len; i++) {
        if (strchr("-./:", text[i]))
            text[i] = '_';
    }
    return (struct str){text, text ? resource.len : 0};
}

void kube_put_resources(struct kube_emit *emit, unsigned metric, const struct kube_value *map,
                        const struct label *more, size_t count)
{
    struct label labels[KUBE_LABELS_MAX];
    if (map->type != KUBE_RAW || count + 2 > ARRAY_LEN(labels))
        return;
    struct json_pull pull = json_pull_from(map->text);
    struct str resource, text;
    struct value value;
    if (!json_pull_object(&pull))
        return;
    if (count > 0)
        memcpy(labels, more, count * sizeof *labels);
    while (json_pull_member(&pull, &resource)) {
        if (!json_pull_text(&pull, emit->arena, &text) || !quantity_parse(text, &value))
            continue;
        labels[count] = LABEL("resource", resource_label(emit->arena, resource));
        labels[count + 1] = LABEL_TEXT("unit", unit_of(resource));
        kube_put(emit, metric, value, labels, count + 2);
    }
}

void kube_each(struct kube_emit *emit, const struct kube_value *list, const struct kube_field *fields,
               size_t count, kube_element_fn *fn, void *ctx)
{
    struct kube_value values[KUBE_FIELDS_MAX];
    if (list->type != KUBE_RAW)
        return;
    struct json_pull pull = json_pull_from(list->text);
    if (!json_pull_array(&pull))
        return;
    while (json_pull_element(&pull) && kube_pick(&pull, fields, count, emit->arena, values))
        fn(emit, values, ctx);
}
