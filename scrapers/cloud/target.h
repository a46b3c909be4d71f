/* The common frame of cloud sources: one target's discovery, polling, accounts and page. A source (source.h)
 * only renders requests and reads answers.
 *
 * A scrape begins what is due and ends when that was answered, or at its deadline; what is under way then
 * goes on, and the page is made of what is known. So a cloud that hangs holds nothing up, and no call that
 * was paid for is thrown away. Calls pass the token bucket of their account, lane and API, which targets
 * share, as they share tokens.
 *
 * Counters are shown once the journal has committed them, so that a restart cannot take one back.
 *
 *     create: check and build the state, then cloud_target_new(); the scraper_kind's scrape, cancel and
 *     destroy are cloud_target_scrape, cloud_target_cancel and cloud_target_destroy.
 *
 * Ownership: cloud_target_new() takes `state` over, also when it fails. Threads: the scrape loop. */
#ifndef FRAISEQL_SCRAPERS_CLOUD_TARGET_H
#define FRAISEQL_SCRAPERS_CLOUD_TARGET_H

#include "scrapers/cloud/config.h"
#include "scrapers/cloud/shared.h"
#include "scrapers/cloud/source.h"
#include "scrapers/scraper.h"

struct cloud_target;

struct cloud_target_spec {
    const struct cloud_source *source;
    const struct scraper_target *target;
    const struct cloud_config *config;
    void *state; /* the source's */
    struct cloud_credential credentials[CLOUD_CREDENTIALS_MAX];
    size_t credential_count; /* 0: requests go out without a token */
    const char *account;     /* with source and lane it names a quota; NULL: the first credential's key */
    struct http_tls_options tls;
};

int cloud_target_new(const struct scraper_env *env, const struct cloud_target_spec *spec,
                     struct cloud_target **ret_target, struct error *err) CHECK_RESULT;

void cloud_target_scrape(void *target, int64_t deadline_mono_ns, scraper_done_fn *done, void *ctx);
void cloud_target_cancel(void *target);
void cloud_target_destroy(void *target, loop_fn *destroyed, void *ctx);

#endif
