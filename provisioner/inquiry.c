#include "provisioner/inquiry.h"

#include "version.h"

#define SHOWN_MAX 4U /* of what is missing, in the sentence */

/* --- signing in ---------------------------------------------------------------------------------------- */

int inquiry_run(struct inquiry *inquiry, struct signin *signin, inquiry_signin_fn *sign_in,
                int (*ask)(void *own), void *own)
{
    struct error reason = {0};
    int code = http_wait_new("fraiseql/" FRAISEQL_VERSION, &inquiry->client, inquiry->err);
    if (!code) {
        code = sign_in(signin, inquiry->client, inquiry->deadline_mono_ns, &inquiry->token, &reason);
        if (code) {
            code = inquiry_failed(inquiry, &reason);
        } else {
            if (inquiry->token.identity)
                inquiry->check->identity = inquiry_kept(inquiry, inquiry->token.identity);
            code = ask(own);
        }
    }
    signin_free(signin);
    http_wait_free(inquiry->client);
    return code;
}

/* --- what was found ------------------------------------------------------------------------------------ */

int inquiry_found(struct inquiry *inquiry, const char *problem, const char *mend)
{
    inquiry->check->problem = problem;
    inquiry->check->mend = mend;
    return 0;
}

int inquiry_failed(struct inquiry *inquiry, const struct error *reason)
{
    struct arena *arena = inquiry->arena;
    if (reason->code != ERR_AUTH && reason->code != ERR_CONFIG) {
        if (inquiry->err)
            *inquiry->err = *reason;
        return reason->code;
    }
    const char *problem = reason->file[0] && reason->line
                              ? arena_printf(arena, "%s:%u: %s", reason->file, reason->line, reason->message)
                          : reason->detail[0] ? arena_printf(arena, "%s: %s", reason->message, reason->detail)
                                              : inquiry_kept(inquiry, reason->message);
    return inquiry_found(inquiry, problem,
                         reason->hint[0] ? inquiry_kept(inquiry, reason->hint) : inquiry->mend);
}

void inquiry_note(struct inquiry *inquiry, const char *note)
{
    const char *before = inquiry->check->note;
    inquiry->check->note = before ? arena_printf(inquiry->arena, "%s; %s", before, note) : note;
}

const char *inquiry_missing(struct inquiry *inquiry, const char **missing, size_t count)
{
    struct buf shown = BUF_INIT(4096);
    inquiry->check->missing = (struct string_list){count, missing};
    for (size_t i = 0; i < count && i < SHOWN_MAX; i++)
        inquiry_append(&shown, ", ", missing[i]);
    if (count > SHOWN_MAX)
        buf_printf(&shown, " and %zu more", count - SHOWN_MAX);
    const char *text = inquiry_kept(inquiry, buf_text(&shown));
    buf_deinit(&shown);
    return text;
}

const char *inquiry_who(const struct inquiry *inquiry)
{
    return inquiry->check->identity ? inquiry->check->identity : inquiry->token.source;
}

const char *inquiry_kept(const struct inquiry *inquiry, const char *text)
{
    return arena_strdup(inquiry->arena, str_from(text));
}

/* --- the pieces ---------------------------------------------------------------------------------------- */

void inquiry_append(struct buf *list, const char *separator, const char *item)
{
    if (list->len)
        buf_append_text(list, separator);
    buf_append_text(list, item);
}

size_t inquiry_names(const char *before, const char *words, struct arena *arena, const char **ret_names)
{
    size_t count = 0;
    while (*words) {
        size_t length = strcspn(words, " ");
        if (ret_names)
            ret_names[count] = arena_printf(arena, "%s%.*s", before, (int)length, words);
        count++;
        words += length;
        words += strspn(words, " ");
    }
    return count;
}

int inquiry_object(struct inquiry *inquiry, const char *url, struct str body, const struct node **ret_root)
{
    struct node *root = NULL;
    if (json_parse(inquiry->arena, body, &root, NULL) || root->kind != NODE_MAPPING)
        return error_set(inquiry->err, ERR_PEER, "%s answered with something else than what is asked for",
                         url);
    *ret_root = root;
    return 0;
}
