/* The nodes' cadvisor pages through the API server. Some are fetched at a time, and they are read in the
 * order of the nodes, so that the same pages make the same shape. A node that does not answer costs its own
 * series only. */
#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "lib/metrics/selector.h"
#include "lib/net/percent.h"
#include "scrapers/kubernetes/kubernetes_internal.h"

#include <stdlib.h>

#define NODE_DEADLINE_NS   (5 * NS_PER_S)
#define FINISH_NS          (200 * NS_PER_MS) /* left of the scrape's deadline for reading the last page */
#define ACCEPT             "text/plain;version=0.0.4;q=1,*/*;q=0.1"
#define SELECTOR_MAX_BYTES (64UL * 1024)

static void fill_slots(struct kube_state *state);

/* --- what is kept --- */

static int add_keep(struct kube_state *state, const char *text, struct error *err)
{
    return selector_parse(text, &state->keep[state->keep_count++], err);
}

/* Containers of other namespaces are somebody else's; what has no namespace is the node's. */
static int drop_others(struct kube_state *state, struct selector **ret_drop, struct error *err)
{
    const struct string_list *namespaces = &state->config->namespaces;
    struct buf text CLEANUP(buf_deinit) = BUF_INIT(SELECTOR_MAX_BYTES);
    if (namespaces->count == 0) {
        buf_append_text(&text, "{id=~\".+\",namespace=\"\",id!=\"/\"}"); /* slices of systemd, one a unit */
    } else {
        buf_append_text(&text, "{id!=\"/\",namespace!~\"");
        for (size_t i = 0; i < namespaces->count; i++)
            buf_printf(&text, "%s%s", i ? "|" : "", namespaces->items[i]);
        buf_append_text(&text, "\",id=~\".+\"}");
    }
    return selector_parse(buf_text(&text), ret_drop, err);
}

int kube_cadvisor_init(struct kube_state *state, struct error *err)
{
    const struct string_list *wanted = &state->config->cadvisor_keep;
    size_t count = 0;
    int rc = 0;
    while (kubernetes_cadvisor_keep[count])
        count++;
    state->keep = xcalloc(count + wanted->count + 1, sizeof *state->keep);
    for (size_t i = 0; rc == 0 && i < wanted->count; i++)
        rc = add_keep(state, wanted->items[i], err);
    for (size_t i = 0; rc == 0 && wanted->count == 0 && i < count; i++)
        rc = add_keep(state, kubernetes_cadvisor_keep[i], err);
    if (rc == 0)
        rc = drop_others(state, &state->drop, err);
    if (rc != 0)
        return rc;
    const struct exposition_reader_options options = {
        .batch = state->batch,
        .keep = state->keep,
        .keep_count = state->keep_count,
        .drop = &state->drop,
        .drop_count = 1,
        .max_names = 10000,
        .max_sample_age_ms = state->config->max_sample_age_ns / NS_PER_MS,
    };
    state->reader = exposition_reader_new(&options);
    for (size_t i = 0; i < KUBE_NODE_SLOTS; i++) {
        state->slots[i].state = state;
        buf_init(&state->slots[i].body, state->config->max_body_bytes);
    }
    return 0;
}

void kube_cadvisor_deinit(struct kube_state *state)
{
    exposition_reader_free(state->reader);
    for (size_t i = 0; i < state->keep_count; i++)
        selector_free(state->keep[i]);
    selector_free(state->drop);
    free(state->keep);
    free(state->nodes);
    for (size_t i = 0; i < KUBE_NODE_SLOTS; i++)
        buf_deinit(&state->slots[i].body);
}

void kube_add_node(struct kube_state *state, struct str name)
{
    if (!state->config->cadvisor || state->node_count == KUBE_NODES_MAX || name.len == 0 ||
        name.len > KUBE_NAME_MAX)
        return;
    if (state->node_count == state->node_capacity) {
        state->node_capacity = state->node_capacity ? 2 * state->node_capacity : 64;
        state->nodes = xrealloc(state->nodes, state->node_capacity * sizeof *state->nodes);
    }
    struct kube_node *node = &state->nodes[state->node_count++];
    *node = (struct kube_node){0};
    memcpy(node->name, name.ptr, name.len);
}

/* --- reading, in the order of the nodes --- */

static struct kube_slot *slot_of(struct kube_state *state, size_t node)
{
    for (size_t i = 0; i < KUBE_NODE_SLOTS; i++) {
        if (state->slots[i].busy && state->slots[i].node == node)
            return &state->slots[i];
    }
    return NULL;
}

static void release(struct kube_slot *slot)
{
    slot->busy = slot->ready = slot->failed = false;
    buf_deinit(&slot->body);
    buf_init(&slot->body, slot->state->config->max_body_bytes);
}

static void read_next(struct kube_state *state);

static void page_read(struct kube_state *state, struct kube_slot *slot)
{
    struct exposition_counts counts;
    struct error err = {0};
    struct kube_node *node = &state->nodes[slot->node];
    node->up = exposition_reader_finish(state->reader, &counts, &err) == 0;
    if (!node->up)
        LOG_EVENT(LOG_DEBUG, "kubernetes.cadvisor", LF_TEXT("target", state->config->target.name),
                  LF_TEXT("node", node->name), LF_ERROR(&err));
    release(slot);
    state->parsing = false;
    state->parse_node++;
    read_next(state);
}

static void read_slice(void *arg)
{
    struct kube_state *state = arg;
    struct error err = {0};
    if (state->cancelled) {
        state->parsing = false;
        if (kube_cadvisor_idle(state)) {
            error_set(&err, ERR_CANCELLED, "the scrape was cancelled");
            kube_fail(state, &err);
        }
    } else if (!exposition_reader_step(state->reader, KUBE_SLICE_BYTES)) {
        page_read(state, slot_of(state, state->parse_node));
    } else if (!loop_post(state->env->loop, "kubernetes.cadvisor", read_slice, state)) {
        state->cancelled = true;
        read_slice(state);
    }
}

static void finish_nodes(struct kube_state *state)
{
    struct exposition_counts counts;
    struct error err = {0};
    if (state->pages_read > 0) {
        (void)!exposition_reader_finish(state->reader, &counts, &err);
        exposition_counts_add(&state->page_counts, &counts);
    }
    kube_succeed(state);
}

/* Begins the page whose turn it is, when it is there. */
static void read_next(struct kube_state *state)
{
    while (!state->parsing) {
        if (state->parse_node == state->node_count) {
            finish_nodes(state);
            return;
        }
        struct kube_slot *slot = slot_of(state, state->parse_node);
        if (!slot || !slot->ready) {
            fill_slots(state);
            slot = slot_of(state, state->parse_node);
            if (!slot || !slot->ready)
                return; /* its answer comes back here */
        }
        if (slot->failed) {
            release(slot);
            state->parse_node++;
            continue;
        }
        struct kube_node *node = &state->nodes[slot->node];
        state->node_label = LABEL_TEXT("node", node->name);
        const struct exposition_page page = {.format = EXPOSITION_TEXT,
                                             .bytes = buf_str(&slot->body),
                                             .now_wall_ms = clock_wall_ns() / NS_PER_MS,
                                             .extra = &state->node_label,
                                             .continues = state->pages_read++ > 0};
        state->parsing = true;
        exposition_reader_begin_page(state->reader, &page);
        fill_slots(state);
        read_slice(state);
        return;
    }
}

/* --- fetching --- */

static const char *problem(const struct http_response *response, const struct error *err)
{
    if (err)
        return err->message;
    return response->status == 403
               ? "HTTP 403: grant the verb get on the resource nodes/proxy by a ClusterRole"
           : response->status == 200 ? NULL
                                     : "the node or its kubelet gave no page";
}

static void on_answer(void *ctx, const struct http_response *response, const struct error *err)
{
    struct kube_slot *slot = ctx;
    struct kube_state *state = slot->state;
    const char *reason = problem(response, err);
    slot->call = NULL;
    state->slots_under_way--;
    slot->ready = true;
    slot->failed = reason != NULL;
    if (state->cancelled) {
        struct error failure = {0};
        if (kube_cadvisor_idle(state)) {
            error_set(&failure, ERR_CANCELLED, "the scrape was cancelled");
            kube_fail(state, &failure);
        }
        return;
    }
    if (reason)
        LOG_EVENT(LOG_DEBUG, "kubernetes.cadvisor", LF_TEXT("target", state->config->target.name),
                  LF_TEXT("node", state->nodes[slot->node].name),
                  LF_I64("status", err ? 0 : response->status), LF_TEXT("problem", reason));
    read_next(state);
}

static bool on_body(void *ctx, struct str chunk)
{
    struct kube_slot *slot = ctx;
    buf_append_str(&slot->body, chunk);
    return !slot->body.failed;
}

static void fetch(struct kube_state *state, struct kube_slot *slot)
{
    struct error err = {0};
    int64_t deadline_ns = clock_mono_ns() + NODE_DEADLINE_NS, last_ns = state->deadline_mono_ns - FINISH_NS;
    slot->node = state->next_node++;
    slot->busy = true;
    state->nodes[slot->node].up = false;
    buf_reset(&state->path);
    buf_append_text(&state->path, "/api/v1/nodes/");
    percent_encode(&state->path, str_from(state->nodes[slot->node].name));
    buf_append_text(&state->path, "/proxy/metrics/cadvisor");
    int rc =
        kube_send(state, buf_text(&state->path), ACCEPT, state->config->max_body_bytes,
                  deadline_ns < last_ns ? deadline_ns : last_ns, on_body, on_answer, slot, &slot->call, &err);
    if (rc == 0) {
        state->slots_under_way++;
        return;
    }
    slot->ready = slot->failed = true;
    LOG_EVENT(LOG_DEBUG, "kubernetes.cadvisor", LF_TEXT("target", state->config->target.name),
              LF_ERROR(&err));
}

/* A slot is free once its page was read, so at most KUBE_NODE_SLOTS pages are held. */
static void fill_slots(struct kube_state *state)
{
    for (size_t i = 0; i < KUBE_NODE_SLOTS && state->next_node < state->node_count; i++) {
        if (!state->slots[i].busy)
            fetch(state, &state->slots[i]);
    }
}

void kube_cadvisor_begin(struct kube_state *state)
{
    for (size_t i = 0; i < KUBE_NODE_SLOTS; i++)
        release(&state->slots[i]); /* of a scrape that was cancelled */
    state->next_node = state->parse_node = 0;
    state->pages_read = 0;
    state->parsing = false;
    exposition_reader_set_max_samples(state->reader, state->emit.budget);
    read_next(state);
}

bool kube_cadvisor_idle(const struct kube_state *state)
{
    return state->slots_under_way == 0 && !state->parsing;
}

void kube_cadvisor_cancel(struct kube_state *state)
{
    for (size_t i = 0; i < KUBE_NODE_SLOTS; i++) {
        if (state->slots[i].call)
            http_call_cancel(state->slots[i].call);
    }
}
