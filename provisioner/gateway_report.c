#include "provisioner/gateway_report.h"

#include "lib/core/buf.h"
#include "lib/core/clock.h"
#include "lib/core/json.h"
#include "provisioner/log_lines.h"

#define NAME_BYTES   128U
#define DETAIL_BYTES (4UL * 1024)

static const char *const peer_states[] = {[PEER_STREAMING] = "streaming",
                                          [PEER_COPYING] = "copying",
                                          [PEER_WAITING] = "waiting",
                                          [PEER_STOPPED] = "stopped",
                                          [PEER_FAILED] = "failed"};

static const char *const phases[] = {[GATEWAY_SILENT] = NULL,
                                     [GATEWAY_WAIT] = "wait",
                                     [GATEWAY_PUBLISH] = "publish",
                                     [GATEWAY_SUBSCRIBE] = "subscribe",
                                     [GATEWAY_DONE] = "done"};

static const char *const standings[] = {[GATEWAY_STANDING] = "standing",
                                        [GATEWAY_COPYING] = "copying",
                                        [GATEWAY_WAITING] = "waiting",
                                        [GATEWAY_FAILED] = "failed",
                                        [GATEWAY_UNKNOWN] = "unknown"};

/* --- reading ------------------------------------------------------------------------------------------- */

struct reading {
    struct arena *arena;
    struct error *err;
};

static int refuse(const struct reading *reading, const char *member, const char *what)
{
    return error_set(reading->err, ERR_PARSE, "the gateway's report is not one: \"%s\" %s", member, what);
}

/* A text as it may be shown; absent is empty where it may be absent. */
static int read_text(const struct reading *reading, const struct node *object, const char *member,
                     bool required, const char **ret)
{
    const struct node *node = node_member(object, member);
    *ret = "";
    if (!node)
        return required ? refuse(reading, member, "is missing") : 0;
    if (node->kind != NODE_SCALAR || node->plain)
        return refuse(reading, member, "is no text");
    if (node->scalar.len > DETAIL_BYTES)
        return refuse(reading, member, "is too long");
    *ret = log_line_shown(node->scalar, reading->arena);
    return 0;
}

/* A whole number from `least` on; absent is `least`. */
static int read_count(const struct reading *reading, const struct node *object, const char *member,
                      int64_t least, int64_t *ret)
{
    const struct node *node = node_member(object, member);
    *ret = least;
    if (!node)
        return 0;
    if (node->kind != NODE_SCALAR || !node->plain || !str_to_i64(node->scalar, ret) || *ret < least)
        return refuse(reading, member, "is no such number");
    return 0;
}

/* Its place in the list; 0 and an error where it is not there. */
static int read_word(const struct reading *reading, const struct node *object, const char *member,
                     const char *const *words, size_t count, size_t *ret)
{
    struct str text = node_text(object, member);
    const struct node *node = node_member(object, member);
    for (size_t i = 0; node && !node->plain && i < count; i++) {
        if (words[i] && str_equal_text(text, words[i])) {
            *ret = i;
            return 0;
        }
    }
    return refuse(reading, member, node ? "is no word that this version knows" : "is missing");
}

static int read_digest(const struct reading *reading, const struct node *object, const char **ret)
{
    static const char digits[] = "0123456789abcdef";
    int code = read_text(reading, object, "document", true, ret);
    if (code || !(*ret)[0])
        return code;
    if (strlen(*ret) != GATEWAY_DIGEST_CHARS || strspn(*ret, digits) != GATEWAY_DIGEST_CHARS)
        return refuse(reading, "document", "is no SHA-256");
    return 0;
}

static int read_peer(const struct reading *reading, const struct node_pair *pair, struct gateway_peer *ret)
{
    int64_t tables = 0, copying = 0;
    size_t state = 0;
    if (!pair->key.len || pair->key.len > NAME_BYTES)
        return refuse(reading, "peers", "has a name of no such length");
    if (pair->value->kind != NODE_MAPPING)
        return refuse(reading, "peers", "has one that is no object");
    int code = read_word(reading, pair->value, "state", peer_states, ARRAY_LEN(peer_states), &state);
    if (!code)
        code = read_text(reading, pair->value, "detail", false, &ret->detail);
    if (!code)
        code = read_count(reading, pair->value, "tables", 0, &tables);
    if (!code)
        code = read_count(reading, pair->value, "copying", 0, &copying);
    if (!code)
        code = read_count(reading, pair->value, "lag_s", -1, &ret->lag_s);
    ret->name = log_line_shown(pair->key, reading->arena);
    ret->state = (enum gateway_peer_state)state;
    ret->tables = (uint64_t)tables;
    ret->copying = (uint64_t)copying;
    return code;
}

static int read_peers(const struct reading *reading, const struct node *object, struct gateway_report *ret)
{
    const struct node *node = node_member(object, "peers");
    int64_t omitted = 0;
    int code = read_count(reading, object, "omitted", 0, &omitted);
    ret->omitted = (uint64_t)omitted;
    if (code || !node)
        return code;
    if (node->kind != NODE_MAPPING)
        return refuse(reading, "peers", "is no object");
    if (node->count > GATEWAY_PEERS_MAX)
        return error_set(reading->err, ERR_LIMIT, "the gateway's report names more than %u peers",
                         GATEWAY_PEERS_MAX);
    struct gateway_peer *peers = arena_zalloc(reading->arena, (node->count + 1) * sizeof *peers);
    for (size_t i = 0; !code && i < node->count; i++)
        code = read_peer(reading, &node->pairs[i], &peers[i]);
    ret->peers = peers;
    ret->peer_count = node->count;
    return code;
}

static int read_report(const struct reading *reading, const struct node *object, struct gateway_report *ret)
{
    size_t phase = 0;
    int64_t format = 0;
    int code = read_count(reading, object, "format", 0, &format);
    if (!code && format != 1)
        code = refuse(reading, "format", "is not 1");
    if (!code)
        code = read_word(reading, object, "phase", phases, ARRAY_LEN(phases), &phase);
    if (!code)
        code = read_digest(reading, object, &ret->document);
    if (!code)
        code = read_text(reading, object, "error", false, &ret->error);
    if (!code && (node_member(object, "at") == NULL || node_member(object, "at")->plain ||
                  !clock_parse_rfc3339(node_text(object, "at"), &ret->at_wall_ns)))
        code = refuse(reading, "at", "is no time");
    if (!code)
        code = read_peers(reading, object, ret);
    ret->phase = (enum gateway_phase)phase;
    return code;
}

int gateway_report_parse(struct str text, struct arena *arena, struct gateway_report *ret, struct error *err)
{
    const struct reading reading = {arena, err};
    struct node *root = NULL;
    *ret = (struct gateway_report){.document = "", .error = ""};
    text = str_trim(text);
    if (!text.len)
        return 0;
    if (text.len > GATEWAY_REPORT_BYTES)
        return error_set(err, ERR_LIMIT, "the gateway's report is longer than %lu bytes",
                         GATEWAY_REPORT_BYTES);
    if (json_parse(arena, text, &root, NULL) || root->kind != NODE_MAPPING)
        return error_set(err, ERR_PARSE, "the gateway's report is no JSON object");
    if (!root->count)
        return 0;
    int code = read_report(&reading, root, ret);
    if (code)
        *ret = (struct gateway_report){.document = "", .error = ""};
    return code;
}

/* --- judging ------------------------------------------------------------------------------------------- */

const char *gateway_standing_text(enum gateway_standing standing)
{
    return standings[standing];
}

bool gateway_is_settled(enum gateway_standing standing)
{
    return standing == GATEWAY_STANDING || standing == GATEWAY_COPYING;
}

static bool peer_is_settled(const struct gateway_peer *peer)
{
    return peer->state == PEER_STREAMING || peer->state == PEER_COPYING;
}

static void say_peer(const struct gateway_peer *peer, struct buf *out)
{
    buf_printf(out, "%s%s %s", out->len ? "; " : "", peer->name, peer_states[peer->state]);
    if (peer->state == PEER_COPYING && peer->copying <= peer->tables)
        buf_printf(out, ", %llu of %llu table%s to go", (unsigned long long)peer->copying,
                   (unsigned long long)peer->tables, PLURAL(peer->tables));
    else if (peer->state == PEER_STREAMING && peer->lag_s > 0)
        buf_printf(out, ", last heard of %lld s ago", (long long)peer->lag_s);
    else if (peer->detail[0])
        buf_printf(out, ": %s", peer->detail);
}

/* Those that are not set up come first: a line may be cut. */
static const char *say_peers(const struct gateway_report *report, struct arena *arena)
{
    struct buf text = BUF_INIT(256UL * 1024);
    for (size_t i = 0; i < report->peer_count; i++) {
        if (!peer_is_settled(&report->peers[i]))
            say_peer(&report->peers[i], &text);
    }
    for (size_t i = 0; i < report->peer_count; i++) {
        if (peer_is_settled(&report->peers[i]))
            say_peer(&report->peers[i], &text);
    }
    if (report->omitted)
        buf_printf(&text, "%s%llu more streaming", text.len ? "; " : "", (unsigned long long)report->omitted);
    const char *said = text.len ? arena_strdup(arena, buf_str(&text)) : "publishes, and fetches nothing";
    buf_deinit(&text);
    return said;
}

static void judge_peers(const struct gateway_report *report, struct arena *arena, struct gateway_state *ret)
{
    bool copying = false, waiting = false, failed = false;
    ret->peers = report->peer_count + report->omitted;
    ret->settled = report->omitted;
    for (size_t i = 0; i < report->peer_count; i++) {
        const struct gateway_peer *peer = &report->peers[i];
        ret->settled += peer_is_settled(peer);
        copying = copying || peer->state == PEER_COPYING;
        waiting = waiting || peer->state == PEER_WAITING;
        failed = failed || peer->state == PEER_STOPPED || peer->state == PEER_FAILED;
    }
    /* A gateway that says it is done and names one that is not has not said it is done. */
    waiting = waiting || report->phase != GATEWAY_DONE;
    ret->standing = failed    ? GATEWAY_FAILED
                    : waiting ? GATEWAY_WAITING
                    : copying ? GATEWAY_COPYING
                              : GATEWAY_STANDING;
    ret->detail = say_peers(report, arena);
}

void gateway_report_judge(const struct gateway_report *report, const char *document, struct arena *arena,
                          struct gateway_state *ret)
{
    *ret = (struct gateway_state){.standing = GATEWAY_WAITING};
    if (!document[0])
        ret->detail = "the part between the regions has not told its gateway yet what to do";
    else if (report->phase == GATEWAY_SILENT)
        ret->detail = "its gateway has not reported yet";
    else if (report->phase == GATEWAY_WAIT && !report->document[0])
        ret->detail = "its gateway has not found yet what to do";
    else if (strcmp(report->document, document) != 0)
        ret->detail = "its gateway has reported of an older plan or another deployment, and not yet of this";
    else if (report->error[0])
        *ret = (struct gateway_state){.standing = GATEWAY_FAILED, .detail = report->error};
    else
        judge_peers(report, arena, ret);
}
