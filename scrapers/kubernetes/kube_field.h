/* Members of a Kubernetes object by their paths ("status.readyReplicas"), in one pass over its JSON.
 *
 * A table of fields gives an array of values, one a field; what the object lacks stays KUBE_NONE, as does
 * what has another type. A key may not hold a point: such members are read from a KUBE_RAW parent.
 *
 * Ownership: texts point into the document or the arena. Pure. Threads: any. */
#ifndef FRAISEQL_SCRAPERS_KUBERNETES_KUBE_FIELD_H
#define FRAISEQL_SCRAPERS_KUBERNETES_KUBE_FIELD_H

#include "lib/core/json_pull.h"
#include "lib/metrics/value.h"

#define KUBE_FIELDS_MAX 32U

enum kube_field_type {
    KUBE_NONE,
    KUBE_TEXT,
    KUBE_NUMBER,   /* an integer */
    KUBE_BOOL,     /* number 0 or 1 */
    KUBE_TIME,     /* RFC 3339, as whole seconds since 1970 */
    KUBE_QUANTITY, /* number */
    KUBE_RAW       /* the bytes of any value, for a look of its own */
};

struct kube_field {
    const char *path;
    enum kube_field_type type;
};

struct kube_value {
    enum kube_field_type type; /* KUBE_NONE: not there */
    struct str text;           /* of KUBE_TEXT and KUBE_RAW */
    struct value number;
};

/* The cursor stands at a value; what is no object has no members. False for damage. */
bool kube_pick(struct json_pull *pull, const struct kube_field *fields, size_t count, struct arena *arena,
               struct kube_value *values);
/* Number of a field that is there, else absent. */
struct value kube_number(const struct kube_value *value);

#endif
