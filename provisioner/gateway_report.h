/* What the gateway of a region says of replication: the JSON that provisioner/postgresql/gateway/replicate.py
 * leaves in the region's store, format 1, read strictly, and what it means for the region.
 *
 * It is written by a machine that others may have got hold of: only so long, texts without escape sequences
 * and with secrets masked, and believed only where it names the document that this deployment's global root
 * has written for the region.
 *
 * Ownership: texts live in the arena given. Threads: any. */
#ifndef FRAISEQL_PROVISIONER_GATEWAY_REPORT_H
#define FRAISEQL_PROVISIONER_GATEWAY_REPORT_H

#include "lib/core/arena.h"
#include "lib/core/error.h"
#include "lib/core/str.h"

#define GATEWAY_REPORT_BYTES (64UL * 1024)
#define GATEWAY_PEERS_MAX    256U
#define GATEWAY_DIGEST_CHARS 64U /* SHA-256 in hexadecimal */

enum gateway_peer_state { PEER_STREAMING, PEER_COPYING, PEER_WAITING, PEER_STOPPED, PEER_FAILED };

struct gateway_peer {
    const char *name;
    enum gateway_peer_state state;
    const char *detail;       /* "": nothing to say */
    uint64_t tables, copying; /* of the subscription, and how many of them are still copied */
    int64_t lag_s;            /* -1: not known */
};

/* How far the gateway has come with its document. GATEWAY_SILENT: it has said nothing yet. */
enum gateway_phase { GATEWAY_SILENT, GATEWAY_WAIT, GATEWAY_PUBLISH, GATEWAY_SUBSCRIBE, GATEWAY_DONE };

struct gateway_report {
    enum gateway_phase phase;
    const char *document; /* digest of what it has done; "": of nothing */
    const char *error;    /* "": none */
    int64_t at_wall_ns;
    const struct gateway_peer *peers; /* as they were written */
    size_t peer_count;
    uint64_t omitted; /* streaming peers that the store had no room for */
};

/* Empty text and "{}", which is what the store is made with, are GATEWAY_SILENT. ERR_PARSE, ERR_LIMIT. */
int gateway_report_parse(struct str text, struct arena *arena, struct gateway_report *ret, struct error *err)
    CHECK_RESULT;

/* What it means. Standing: rows travel, or nothing is fetched; copying: set up, and the first copy is under
 * way; waiting: it goes on by itself; failed: it tries again, but something is wrong. */
enum gateway_standing {
    GATEWAY_STANDING,
    GATEWAY_COPYING,
    GATEWAY_WAITING,
    GATEWAY_FAILED,
    GATEWAY_UNKNOWN /* the report cannot be had or read */
};

struct gateway_state {
    enum gateway_standing standing;
    const char *detail;      /* one line */
    uint64_t settled, peers; /* how many are set up, of how many */
};

/* "standing": the word for people and records. */
const char *gateway_standing_text(enum gateway_standing standing);
/* Whether replication is set up. */
bool gateway_is_settled(enum gateway_standing standing);
/* `document`: the digest of what the region's gateway is told to do; "" where nothing is. */
void gateway_report_judge(const struct gateway_report *report, const char *document, struct arena *arena,
                          struct gateway_state *ret);

#endif
