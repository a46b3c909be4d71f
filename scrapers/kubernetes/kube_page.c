#include "scrapers/kubernetes/kube_page.h"

#include "lib/net/retry.h"

#include <stdio.h>

void kube_page_init(struct kube_page *page)
{
    *page = (struct kube_page){.next = BUF_INIT(KUBE_CONTINUE_MAX)};
}

void kube_page_deinit(struct kube_page *page)
{
    buf_deinit(&page->next);
}

void kube_page_begin(struct kube_page *page, struct str body)
{
    page->pull = json_pull_from(body);
    page->in_items = page->begun = false;
    page->objects = 0;
    buf_reset(&page->next);
}

static void read_metadata(struct kube_page *page, struct arena *arena)
{
    static const struct kube_field fields[] = {{"continue", KUBE_TEXT}};
    struct kube_value next;
    arena_reset(arena);
    if (kube_pick(&page->pull, fields, ARRAY_LEN(fields), arena, &next))
        buf_append_str(&page->next, next.text);
}

/* The members before, between and after the items. True once the items begin; false at the end. */
static bool find_items(struct kube_page *page, struct arena *arena)
{
    struct str key;
    while (json_pull_member(&page->pull, &key)) {
        if (str_equal(key, STR("items")) && json_pull_peek(&page->pull) == '[')
            return json_pull_array(&page->pull);
        if (str_equal(key, STR("metadata")))
            read_metadata(page, arena);
        else
            json_pull_skip(&page->pull);
    }
    return false;
}

int kube_page_step(struct kube_page *page, struct kube_emit *emit, size_t max_bytes, struct error *err)
{
    const char *start = page->pull.at;
    if (!page->begun) {
        page->begun = true;
        if (json_pull_peek(&page->pull) != '{' || !json_pull_object(&page->pull))
            return error_set(err, ERR_PARSE, "the answer is no JSON object");
    }
    for (;;) {
        if (!page->in_items && !find_items(page, emit->arena))
            break;
        page->in_items = true;
        while (json_pull_element(&page->pull)) {
            if (!kube_emit_object(emit, &page->pull))
                break;
            page->objects++;
            if ((size_t)(page->pull.at - start) >= max_bytes)
                return 1;
        }
        page->in_items = false;
    }
    if (!json_pull_finish(&page->pull))
        return error_set(err, ERR_PARSE, "the list is damaged or cut off after %llu objects of this page",
                         (unsigned long long)page->objects);
    if (page->next.failed)
        return error_set(err, ERR_LIMIT, "the list's continue token is over %u bytes", KUBE_CONTINUE_MAX);
    return 0;
}

static void copy_text(char *out, size_t size, struct str text)
{
    if (text.len >= size)
        text.len = size - 1;
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}

void kube_status_read(struct str body, struct kube_status *ret_status)
{
    enum { MESSAGE, REASON, NEXT, RETRY };
    static const struct kube_field fields[] = {
        [MESSAGE] = {"message", KUBE_TEXT},
        [REASON] = {"reason", KUBE_TEXT},
        [NEXT] = {"metadata.continue", KUBE_TEXT},
        [RETRY] = {"details.retryAfterSeconds", KUBE_NUMBER},
    };
    struct kube_value values[ARRAY_LEN(fields)];
    struct json_pull pull = json_pull_from(body);
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0); /* bounded by the body */
    *ret_status = (struct kube_status){0};
    if (!kube_pick(&pull, fields, ARRAY_LEN(fields), arena, values))
        return;
    copy_text(ret_status->message, sizeof ret_status->message, values[MESSAGE].text);
    copy_text(ret_status->reason, sizeof ret_status->reason, values[REASON].text);
    if (values[NEXT].text.len < sizeof ret_status->next)
        copy_text(ret_status->next, sizeof ret_status->next, values[NEXT].text);
    if (values[RETRY].type == KUBE_NUMBER && values[RETRY].number.i64 > 0)
        ret_status->retry_after_s = values[RETRY].number.i64;
}

int kube_status_error(int http_status, const struct kube_status *status, const char *verb,
                      const char *resource, const char *group, const char *namespace, struct error *err)
{
    char scope[300] = "";
    int code = retry_status_passes(http_status) ? ERR_UNAVAILABLE : ERR_PEER;
    if (namespace)
        (void)snprintf(scope, sizeof scope, " in namespace %s", namespace);
    if (http_status == 401) {
        code = error_set(err, ERR_AUTH, "cannot %s %s%s: the API server does not know us (HTTP 401)", verb,
                         resource, scope);
        error_set_hint(err, "the token or certificate is missing, has expired, or is another cluster's");
    } else if (http_status == 403) {
        code = error_set(err, ERR_AUTH, "may not %s %s%s (HTTP 403)", verb, resource, scope);
        error_set_hint(err, "grant the verb %s on the resource %s of the API group \"%s\"%s", verb, resource,
                       group, namespace ? " by a Role there" : " by a ClusterRole");
    } else if (http_status == 404) {
        code = error_set(err, ERR_PEER, "the API server has no %s of the group \"%s\"%s (HTTP 404)", resource,
                         group, scope);
    } else {
        error_set(err, code, "cannot %s %s%s: HTTP %d", verb, resource, scope, http_status);
    }
    if (status->message[0])
        error_set_detail(err, "%s", status->message);
    return code;
}
