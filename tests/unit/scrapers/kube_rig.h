/* For tests of what becomes of Kubernetes' objects: a list goes in, lines come out. */
#ifndef FRAISEQL_TESTS_KUBE_RIG_H
#define FRAISEQL_TESTS_KUBE_RIG_H

#include "scrapers/kubernetes/kube_page.h"
#include "tests/unit/scrapers/loop_rig.h"

/* The lines of one page of a kind, malloc'd; NULL when it is damaged. */
static inline char *kube_lines(const struct kube_kind *kind, const char *body, int64_t now_s, size_t slice)
{
    const struct batch_options options = {.max_series = 100000};
    struct kube_emit emit = {
        .batch = batch_new(&options), .arena = arena_new(0), .now_wall_s = now_s, .budget = 100000};
    struct kube_page page;
    struct error err;
    char *text = NULL;
    int rc;
    kube_page_init(&page);
    batch_begin(emit.batch);
    kube_emit_begin(&emit, kind);
    kube_page_begin(&page, str_from(body));
    while ((rc = kube_page_step(&page, &emit, slice, &err)) > 0)
        continue;
    struct snapshot *snapshot = batch_finish(emit.batch, 1, 1);
    if (rc == 0)
        text = rig_snapshot_text(snapshot);
    snapshot_unref(snapshot);
    kube_page_deinit(&page);
    arena_free(emit.arena);
    batch_free(emit.batch);
    return text;
}

#define kube_expect(kind, body, line)                                                                        \
    do {                                                                                                     \
        char *lines_ = kube_lines(kind, body, 1000, 1 << 20);                                                \
        ck_assert_ptr_nonnull(lines_);                                                                       \
        ck_assert_contains(lines_, line);                                                                    \
        free(lines_);                                                                                        \
    } while (0)

#endif
