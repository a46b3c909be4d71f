#include "scrapers/kubernetes/kubernetes.h"

#include "lib/core/clock.h"
#include "scrapers/kubernetes/kubernetes_internal.h"
#include "scrapers/url.h"

#include <stdio.h>
#include <stdlib.h>

#define ACCESS_REFRESH_NS (60 * NS_PER_S)

static void free_state(struct kube_state *state)
{
    kube_cadvisor_deinit(state);
    kube_lists_deinit(state);
    kube_words_free(state->words);
    batch_free(state->batch);
    kube_access_free(state->access);
    arena_free(state->arena);
    buf_deinit(&state->url);
    free(state);
}

static void timer_closed(void *ctx)
{
    struct kube_state *state = ctx;
    loop_fn *destroyed = state->destroyed;
    void *destroyed_ctx = state->destroyed_ctx;
    free_state(state);
    destroyed(destroyed_ctx);
}

/* Ends the scrape under way: the one place that calls done(). */
static void finish(struct kube_state *state, struct snapshot *snapshot, const struct error *err)
{
    scraper_done_fn *done = TAKE(state->done);
    bool last = state->destroyed != NULL;
    buf_deinit(&state->body); /* between scrapes a target holds no page */
    buf_init(&state->body, state->config->max_body_bytes);
    done(state->done_ctx, snapshot, err);
    if (last)
        loop_timer_close(&state->retry, timer_closed);
}

void kube_fail(struct kube_state *state, const struct error *err)
{
    kube_words_withdraw(state->words);
    snapshot_unref(batch_finish(state->batch, clock_wall_ns(), clock_mono_ns()));
    finish(state, NULL, err);
}

void kube_succeed(struct kube_state *state)
{
    state->over_limit += state->emit.over_limit;
    kube_words_publish(state->words);
    kube_report(state);
    finish(state, batch_finish(state->batch, clock_wall_ns(), clock_mono_ns()), NULL);
}

/* A file that is being replaced may be unreadable for a moment: then who we were goes on, unless that was
 * refused. */
static int refresh_access(struct kube_state *state, struct error *err)
{
    const struct kubernetes_config *config = state->config;
    const struct kube_access_options options = {.kubeconfig = config->kubeconfig,
                                                .context = config->context,
                                                .endpoint = config->endpoint,
                                                .service_account = config->service_account};
    int64_t now = clock_mono_ns();
    bool refused = state->access_read_ns == 0;
    struct kube_access *fresh = NULL;
    if (!refused && now - state->access_read_ns < ACCESS_REFRESH_NS)
        return 0;
    int rc = kube_access_read(&options, &fresh, err);
    if (rc != 0)
        return state->access && !refused ? 0 : rc;
    kube_access_free(state->access);
    state->access = fresh;
    state->access_read_ns = now;
    return 0;
}

int kube_send(struct kube_state *state, const char *path, const char *accept, size_t max_body,
              int64_t deadline_mono_ns, http_body_fn *body, http_done_fn *done, void *ctx,
              struct http_call **ret_call, struct error *err)
{
    int rc = refresh_access(state, err);
    if (rc != 0)
        return rc;
    const struct kube_access *access = state->access;
    const struct http_header headers[] = {{"Accept", accept}};
    buf_reset(&state->url);
    buf_printf(&state->url, "%s%s", access->server, path);
    const struct http_request request = {
        .url = buf_text(&state->url),
        .headers = headers,
        .header_count = ARRAY_LEN(headers),
        .bearer_token = access->token,
        .tls = access->tls,
        .deadline_mono_ns = deadline_mono_ns,
        .max_body_bytes = max_body,
        .accept_gzip = true,
    };
    state->requests++;
    return http_client_stream(state->env->http, &request, body, done, ctx, ret_call, err);
}

static void make_batch(struct kube_state *state)
{
    const struct kubernetes_config *config = state->config;
    const struct label common[] = {LABEL_TEXT("region", config->target.region),
                                   LABEL("scraper", STR("kubernetes")),
                                   LABEL_TEXT("target", config->target.name)};
    state->max_series = config->target.max_series ? config->target.max_series : LIMIT_SERIES_PER_TARGET;
    const struct batch_options options = {
        .common = common, .common_count = ARRAY_LEN(common), .max_series = (uint32_t)state->max_series};
    state->batch = batch_new(&options);
}

static int create(const struct scraper_env *env, const void *config, void **ret_state, struct error *err)
{
    struct kube_state *state = xcalloc(1, sizeof *state);
    state->env = env;
    state->config = config;
    state->arena = arena_new(0); /* of one object, bounded by its page */
    buf_init(&state->url, 16384);
    make_batch(state);
    state->words = kube_words_new(env->hub, state->config->target.region, state->config->target.name);
    kube_lists_init(state);
    int rc = kube_cadvisor_init(state, err);
    if (rc != 0) {
        free_state(state);
        return rc;
    }
    state->emit.batch = state->batch;
    state->emit.arena = state->arena;
    state->emit.ctx = state;
    kube_timer_init(state);
    *ret_state = state;
    return 0;
}

static void scrape(void *state_pointer, int64_t deadline_mono_ns, scraper_done_fn *done, void *ctx)
{
    struct kube_state *state = state_pointer;
    size_t own = kube_report_series(state);
    state->done = done;
    state->done_ctx = ctx;
    state->deadline_mono_ns = deadline_mono_ns;
    state->cancelled = false;
    state->emit.now_wall_s = clock_wall_ns() / NS_PER_S;
    state->emit.budget = state->max_series > own ? state->max_series - own : 1;
    state->emit.over_limit = 0;
    batch_begin(state->batch);
    kube_lists_begin(state);
}

static void cancel(void *state_pointer)
{
    struct kube_state *state = state_pointer;
    struct error err = {0};
    if (!state->done)
        return;
    state->cancelled = true;
    if (state->waiting) {
        state->waiting = false;
        loop_timer_stop(&state->retry);
        error_set(&err, ERR_CANCELLED, "the scrape was cancelled");
        kube_fail(state, &err);
        return;
    }
    if (state->call)
        http_call_cancel(state->call);
    kube_cadvisor_cancel(state);
}

static void destroy(void *state_pointer, loop_fn *destroyed, void *ctx)
{
    struct kube_state *state = state_pointer;
    state->destroyed = destroyed;
    state->destroyed_ctx = ctx;
    if (state->done)
        cancel(state);
    else
        loop_timer_close(&state->retry, timer_closed);
}

static void address(const void *config_pointer, char *text, size_t size)
{
    const struct kubernetes_config *config = config_pointer;
    struct kube_access *access CLEANUP(kube_access_free_cleanup) = NULL;
    const struct kube_access_options options = {.kubeconfig = config->kubeconfig,
                                                .context = config->context,
                                                .endpoint = config->endpoint,
                                                .service_account = config->service_account};
    if (config->endpoint)
        url_target(config->endpoint, text, size);
    else if (kube_access_read(&options, &access, NULL) == 0)
        url_target(access->server, text, size);
    else
        (void)snprintf(text, size, "%s", config->target.name);
}

static void check(const void *config_pointer, struct diag *diag)
{
    const struct kubernetes_config *config = config_pointer;
    const struct option_position *at = &config->target.position;
    if (config->cadvisor)
        diag_add(diag, DIAG_WARNING, at->file, at->line, at->column,
                 "target %s: cadvisor wants get on nodes/proxy, which lets its holder run commands in every "
                 "container",
                 config->target.name);
    if (config->endpoint && strncmp(config->endpoint, "http://", 7) == 0 &&
        !strstr(config->endpoint, "://127.") && !strstr(config->endpoint, "://localhost"))
        diag_add(diag, DIAG_WARNING, at->file, at->line, at->column,
                 "target %s: the token is sent without TLS", config->target.name);
}

static const char *const prefixes[] = {"kube_", "fraiseql_kubernetes_", NULL};

const struct scraper_kind kubernetes_scraper = {
    .name = "kubernetes",
    .section = &kubernetes_section,
    .prefixes = prefixes,
    .address = address,
    .create = create,
    .scrape = scrape,
    .cancel = cancel,
    .destroy = destroy,
    .check = check,
};
