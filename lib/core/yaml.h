/* YAML files as a tree that keeps line and column of every node.
 *
 * libyaml's events make the tree; a scalar's type comes from the reader's table, never from its text (so the
 * country "no" stays a string; `plain` tells a bare null or ~ from a quoted one). Refused with a position:
 * duplicate keys, anchors and aliases, tags, more than one document, non-scalar keys, keys over
 * YAML_MAX_KEY_BYTES, zero bytes, depth over YAML_MAX_DEPTH, over YAML_MAX_NODES nodes, invalid UTF-8, files
 * over YAML_MAX_BYTES.
 * An empty document is an empty mapping.
 *
 * Ownership: the tree lives in the arena given. Threads: owned by its caller. */
#ifndef FRAISEQL_CORE_YAML_H
#define FRAISEQL_CORE_YAML_H

#include "lib/core/arena.h"
#include "lib/core/diag.h"

#define YAML_MAX_DEPTH     32
#define YAML_MAX_NODES     200000
#define YAML_MAX_KEY_BYTES 200 /* written with every byte escaped it stays below YAML's own 1024 */
#define YAML_MAX_BYTES     (8UL * 1024 * 1024)

enum node_kind { NODE_SCALAR, NODE_MAPPING, NODE_SEQUENCE };

struct node {
    enum node_kind kind;
    bool plain;            /* scalar written without quotes */
    unsigned line, column; /* 1-based */
    const char *file;
    const struct node *parent; /* NULL: the root */
    const char *key;           /* under which the parent mapping holds it, NULL in a list */
    struct str scalar;         /* terminated */
    size_t count;              /* children */
    struct node_pair *pairs;   /* mapping, in file order */
    struct node **items;       /* sequence */
};

struct node_pair {
    struct str key; /* terminated */
    unsigned line, column;
    struct node *value;
};

/* Parses bytes; `file` is the name used in messages. 0 and *ret_root, or ERR_PARSE with at least one
 * diagnostic added. */
int yaml_parse(struct arena *arena, const char *file, struct str bytes, struct node **ret_root,
               struct diag *diag) CHECK_RESULT;
int yaml_load(struct arena *arena, const char *path, struct node **ret_root, struct diag *diag) CHECK_RESULT;

/* NULL when absent or not a mapping. */
const struct node_pair *node_find(const struct node *mapping, const char *key);
/* The value of a member; NULL when absent or not a mapping. */
const struct node *node_member(const struct node *mapping, const char *key);
/* The text of a member that is a scalar, terminated; empty when it is absent, null or no scalar. */
struct str node_text(const struct node *mapping, const char *key);
/* True for a plain empty scalar, ~ or null. */
bool node_is_null(const struct node *node);
const char *node_kind_text(const struct node *node); /* "a mapping", "a list", "a scalar" */

/* "probes[0].http.expect", "" for the root. */
#define NODE_PATH_MAX 256
const char *node_path(const struct node *node, char path[NODE_PATH_MAX]);
/* Adds "path: message" at the node's position; the result takes a hint. */
struct error *node_report(const struct node *node, struct diag *diag, enum diag_severity severity,
                          const char *format, ...) PRINTF_LIKE(4, 5);

/* Appends text as a YAML scalar on one line, quoted when it must be or when another reader might take it for
 * a number, a boolean or null. Invalid UTF-8 becomes U+FFFD. */
struct buf;
void yaml_write_scalar(struct buf *buf, struct str text);
/* Appends a whole tree as block YAML at `indent` spaces, ended by a line end. Secrets are not masked here. */
void yaml_write_node(struct buf *buf, const struct node *node, unsigned indent);

#endif
