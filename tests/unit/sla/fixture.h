/* Shared by the SLA's tests: a configuration from YAML, snapshots from text, an engine with or without a
 * journal. */
#ifndef FRAISEQL_TESTS_SLA_FIXTURE_H
#define FRAISEQL_TESTS_SLA_FIXTURE_H

#include "lib/core/clock.h"
#include "lib/journal/journal.h"
#include "lib/metrics/batch.h"
#include "sla/engine.h"
#include "tests/support/support.h"

#include <stdlib.h>

#define BASE_S INT64_C(1767225600)

struct document {
    struct section_list slos, triggers;
};

static const struct option document_options[] = {
    {.name = "slos",
     .type = OPT_SECTION_LIST,
     .offset = offsetof(struct document, slos),
     .section = &sla_slo_section,
     .help = "x."},
    {.name = "triggers",
     .type = OPT_SECTION_LIST,
     .offset = offsetof(struct document, triggers),
     .section = &sla_trigger_section,
     .help = "x."},
};
static const struct option_section document_section = {.name = "test",
                                                       .help = "x.",
                                                       .size = sizeof(struct document),
                                                       .options = document_options,
                                                       .option_count = ARRAY_LEN(document_options)};

static const struct sla_probe fixture_probes[] = {{"api", "127.0.0.1:8801", "us-east", 250 * NS_PER_MS},
                                                  {"api", "127.0.0.1:8802", "eu-west", 250 * NS_PER_MS},
                                                  {"db", "127.0.0.1:5501", "us-east", NS_PER_S}};

/* 0, or an error with the diagnostics in diag. */
static inline int fixture_parse(struct arena *arena, const char *yaml, struct document *document,
                                struct diag *diag)
{
    struct node *root;
    int code = yaml_parse(arena, "test.yaml", str_from(yaml), &root, diag);
    return code ? code : option_parse(&document_section, root, arena, document, diag);
}

static inline struct sla_settings fixture_settings(struct arena *arena, const char *yaml)
{
    struct diag diag;
    struct document *document = arena_zalloc(arena, sizeof *document);
    diag_init(&diag);
    if (fixture_parse(arena, yaml, document, &diag)) {
        char *text = test_diag_text(&diag);
        ck_abort_msg("%s", text);
    }
    diag_deinit(&diag);
    return (struct sla_settings){&document->slos, &document->triggers, fixture_probes,
                                 ARRAY_LEN(fixture_probes)};
}

static inline void fixture_id(void *ctx, int64_t wall_ns, char id[CRYPTO_UUID_SIZE])
{
    (void)ctx;
    crypto_uuid7(wall_ns, id);
}

static inline struct engine *fixture_engine(const struct sla_settings *settings, int64_t now_ns)
{
    struct error err = {0};
    struct engine *engine = engine_new(&(struct engine_options){.observer = "me", .new_id = fixture_id});
    ck_assert_msg(engine_configure(engine, settings, now_ns, now_ns, &err) == 0, "%s", err.message);
    return engine;
}

/* Ticks and takes the flush as committed. */
static inline void fixture_tick(struct engine *engine, int64_t now_ns)
{
    engine_tick(engine, now_ns, now_ns);
    struct sla_flush *flush = engine_flush(engine);
    if (flush)
        engine_committed(engine, flush);
}

static inline void fixture_probe(struct engine *engine, const char *region, enum sli_outcome outcome,
                                 int64_t now_ns)
{
    bool east = strcmp(region, "us-east") == 0;
    struct sli_probe_event event = {.probe = "api",
                                    .target = east ? "127.0.0.1:8801" : "127.0.0.1:8802",
                                    .region = region,
                                    .outcome = outcome,
                                    .wall_ns = now_ns,
                                    .mono_ns = now_ns,
                                    .duration_ns = 20 * NS_PER_MS,
                                    .interval_ns = 250 * NS_PER_MS};
    engine_on_probe(engine, &event, 1);
}

struct fixture_sample {
    const char *name;
    const char *label, *label_value; /* one label; NULL: none */
    double value;
};

static inline void fixture_snapshot(struct engine *engine, struct batch *batch,
                                    const struct fixture_sample *samples, size_t count, int64_t now_ns)
{
    batch_begin(batch);
    for (size_t i = 0; i < count; i++) {
        struct metric_desc desc = {samples[i].name, METRIC_UNTYPED, "", NULL};
        struct label label =
            samples[i].label ? (struct label){str_from(samples[i].label), str_from(samples[i].label_value)}
                             : (struct label){0};
        batch_put(batch, &desc, &label, samples[i].label != NULL, VALUE_OF_F64(samples[i].value));
    }
    struct snapshot *snapshot = batch_finish(batch, now_ns, now_ns);
    engine_on_snapshot(engine, 7, "prometheus", "app", snapshot, now_ns);
    (void)snapshot_unref(snapshot);
}

static inline const struct sla_series_report *fixture_series(struct engine *engine, const char *slo,
                                                             const char *label_value)
{
    const struct sla_report *report = engine_report(engine);
    for (size_t i = 0; i < report->series_count; i++) {
        const struct sla_series_report *series = &report->series[i];
        if (strcmp(series->slo, slo) == 0 &&
            (!label_value || (series->label_count && strcmp(series->labels[0].value, label_value) == 0)))
            return series;
    }
    ck_abort_msg("no series of %s", slo);
    return NULL;
}

#endif
