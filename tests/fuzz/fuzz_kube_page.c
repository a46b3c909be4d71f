/* Lists and errors of the Kubernetes API: the first byte chooses the kind. Slices must not change what is
 * read. */
#include "lib/core/arena.h"
#include "scrapers/kubernetes/kube_page.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct kube_kind *kind_of(uint8_t byte)
{
    static const struct kube_kind *const more[] = {&kube_node_usage, &kube_pod_usage};
    size_t count = 0;
    while (kube_kinds[count])
        count++;
    size_t i = byte % (count + ARRAY_LEN(more));
    return i < count ? kube_kinds[i] : more[i - count];
}

static int read_list(const struct kube_kind *kind, struct str body, size_t slice,
                     struct snapshot **ret_snapshot)
{
    const struct batch_options options = {.max_series = 1000};
    struct kube_emit emit = {
        .batch = batch_new(&options), .arena = arena_new(0), .now_wall_s = 1000, .budget = 1000};
    struct kube_page page;
    struct error err;
    int rc;
    kube_page_init(&page);
    batch_begin(emit.batch);
    kube_emit_begin(&emit, kind);
    kube_page_begin(&page, body);
    while ((rc = kube_page_step(&page, &emit, slice, &err)) > 0)
        continue;
    *ret_snapshot = batch_finish(emit.batch, 1, 1);
    kube_page_deinit(&page);
    arena_free(emit.arena);
    batch_free(emit.batch);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct snapshot *whole, *sliced;
    struct kube_status status;
    struct error err;
    if (size == 0)
        return 0;
    struct str body = {(const char *)bytes + 1, size - 1};
    int rc = read_list(kind_of(bytes[0]), body, SIZE_MAX, &whole);
    if (read_list(kind_of(bytes[0]), body, 1, &sliced) != rc ||
        whole->shape->series_count != sliced->shape->series_count)
        abort();
    snapshot_unref(whole);
    snapshot_unref(sliced);
    kube_status_read(body, &status);
    (void)!kube_status_error(bytes[0] * 3, &status, "list", "pods", "", "ns", &err);
    return 0;
}
