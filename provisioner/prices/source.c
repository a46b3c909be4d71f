#include "provisioner/prices/source.h"

#include "lib/core/clock.h"
#include "lib/core/env.h"
#include "provisioner/prices/origin.h"

#define MAX_KEY_BYTES 256

const struct prices_source *const prices_sources[] = {&aws_prices, &gcp_prices, &azure_prices, NULL};

const struct prices_source *prices_source_find(const char *provider)
{
    for (const struct prices_source *const *source = prices_sources; *source; source++) {
        if (strcmp((*source)->provider, provider) == 0)
            return *source;
    }
    return NULL;
}

struct refresh {
    const struct prices_options *options;
    struct found found;
};

static void on_progress(void *ctx, const struct fetch *fetch)
{
    const struct refresh *refresh = ctx;
    if (refresh->options->progress)
        refresh->options->progress(refresh->options->progress_ctx, fetch, &refresh->found);
}

static int find_base(const struct prices_source *source, const char **ret_base, struct error *err)
{
    const char *other = env_get(source->url_variable);
    *ret_base = other ? other : source->url;
    return origin_check_base(*ret_base, err) ? error_prefix(err, "%s", source->url_variable) : 0;
}

/* A key is a word; a line end in it would become a header of its own. */
static int find_key(const struct prices_source *source, struct secret **ret_key, struct error *err)
{
    const char *text = env_get(source->key_variable);
    if (!text) {
        (void)error_set(err, ERR_AUTH, "%s is not set, and %s are given to a key only", source->key_variable,
                        source->title);
        error_set_hint(err, "make an API key for the Cloud Billing API and put it into the environment");
        return ERR_AUTH;
    }
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f || i == MAX_KEY_BYTES)
            return error_set(err, ERR_CONFIG, "%s does not hold an API key", source->key_variable);
    }
    *ret_key = secret_new((struct str){text, length});
    return 0;
}

static int read_all(const struct prices_source *source, const struct prices_scope *scope, const char *base,
                    const struct secret *key, struct refresh *refresh, struct prices_result *result)
{
    struct fetch fetch;
    int code = fetch_open(&fetch, base, &result->err);
    if (code)
        return code;
    fetch.key = key;
    fetch.deadline_mono_ns = clock_mono_ns() + refresh->options->timeout_ns;
    fetch.progress = on_progress;
    fetch.progress_ctx = refresh;
    code = source->read(&fetch, scope, &refresh->found, &result->err);
    result->requests = fetch.requests;
    result->retries = fetch.retries;
    fetch_close(&fetch);
    return code;
}

void prices_refresh(const struct prices_source *source, const struct prices_scope *scope,
                    const struct prices_options *options, struct arena *arena,
                    struct prices_result *ret_result)
{
    struct prices_result *result = ret_result;
    struct secret *key CLEANUP(secret_free_cleanup) = NULL;
    struct refresh refresh = {.options = options};
    const char *base;
    *result =
        (struct prices_result){.outcome = PRICES_FAILED, .path = price_list_path(source->provider, arena)};
    if (!result->path) {
        (void)error_set(&result->err, ERR_CONFIG,
                        "no folder for the lists: neither FRAISEQL_PRICES, "
                        "XDG_CACHE_HOME nor HOME is set");
        return;
    }
    if (find_base(source, &base, &result->err))
        return;
    if (source->key_variable && find_key(source, &key, &result->err)) {
        result->outcome = result->err.code == ERR_AUTH ? PRICES_WITHOUT_KEY : PRICES_FAILED;
        return;
    }
    found_init(&refresh.found, clock_wall_ns());
    int code = read_all(source, scope, base, key, &refresh, result);
    result->prices = found_count(&refresh.found);
    result->conflicts = refresh.found.conflicts;
    if (!code && !result->prices)
        code = error_set(&result->err, ERR_PEER, "the answers hold none of the prices that are looked for");
    if (!code)
        code = found_save(&refresh.found, result->path, !scope->whole, &result->err);
    if (!code)
        prices_left_find(scope, &refresh.found, arena, &result->left);
    result->outcome = code ? PRICES_FAILED : PRICES_REFRESHED;
    found_deinit(&refresh.found);
}
