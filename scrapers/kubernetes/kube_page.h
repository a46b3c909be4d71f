/* One page of a list, read in slices: its objects go to the kind, and what continues the list is kept.
 *
 * Ownership: the body is borrowed until the page is done. Pure. Threads: owned by its caller. */
#ifndef FRAISEQL_SCRAPERS_KUBERNETES_KUBE_PAGE_H
#define FRAISEQL_SCRAPERS_KUBERNETES_KUBE_PAGE_H

#include "scrapers/kubernetes/kube_kind.h"

#define KUBE_CONTINUE_MAX 4096U

struct kube_page {
    struct json_pull pull;
    bool in_items, begun;
    uint64_t objects;
    struct buf next; /* the token that continues the list; empty: it is complete */
};

void kube_page_init(struct kube_page *page);
void kube_page_deinit(struct kube_page *page);
void kube_page_begin(struct kube_page *page, struct str body);
/* Reads about max_bytes. 1: more is left; 0: the page is read; ERR_PARSE: it is no list, or damaged. */
int kube_page_step(struct kube_page *page, struct kube_emit *emit, size_t max_bytes, struct error *err)
    CHECK_RESULT;

/* What a Status says, the API's body of an error. Texts are cut to their size. */
struct kube_status {
    char message[256], reason[64];
    char next[KUBE_CONTINUE_MAX]; /* of 410: continues the list, inconsistently */
    int64_t retry_after_s;        /* 0: not said */
};

void kube_status_read(struct str body, struct kube_status *ret_status);
/* Fills err with what an answer that is no 200 means to somebody who may mend it: which verb on which
 * resource is lacking. `namespace` may be NULL. Returns the code: ERR_AUTH, ERR_PEER or ERR_UNAVAILABLE. */
int kube_status_error(int http_status, const struct kube_status *status, const char *verb,
                      const char *resource, const char *group, const char *namespace, struct error *err);

#endif
