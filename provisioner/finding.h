/* What was found about a deployment file: errors, warnings, and contradictions.
 *
 * A contradiction is a pair of wishes that cannot both come true (active-active replication and data that
 * must not leave the EU). It is an error to `validate`, `compliance` and `deploy`, and a warning to `cost`,
 * `plan` and `render`, which still have something to show.
 *
 * Ownership: texts live in the arena of the list. Threads: owned by the caller. */
#ifndef FRAISEQL_PROVISIONER_FINDING_H
#define FRAISEQL_PROVISIONER_FINDING_H

#include "lib/core/arena.h"
#include "lib/core/diag.h"

struct finding {
    enum diag_severity severity;
    bool contradiction;
    const char *rule; /* stable id: "schema", "residency-replication", "aws-location" ... */
    const char *file;
    unsigned line, column; /* 0: no position */
    const char *message;   /* one sentence without a full stop */
    const char *hint;      /* what to do; NULL or one or more sentences */
};

struct findings {
    struct arena *arena;
    struct finding *items;
    size_t count, capacity;
    size_t errors, warnings, contradictions; /* a contradiction is counted there only */
};

struct node;

void findings_init(struct findings *findings, struct arena *arena);
/* node may be NULL (no position). The result takes a hint: finding_hint(). */
struct finding *findings_add(struct findings *findings, enum diag_severity severity, const char *rule,
                             const struct node *node, const char *format, ...) PRINTF_LIKE(5, 6);
struct finding *findings_contradict(struct findings *findings, const char *rule, const struct node *node,
                                    const char *format, ...) PRINTF_LIKE(4, 5);
void finding_hint(struct findings *findings, struct finding *finding, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Takes over what the YAML reader and the option tables reported. */
void findings_take_diag(struct findings *findings, const char *rule, struct diag *diag);
/* By position in the file, those without position last; stable. */
void findings_sort(struct findings *findings);

#endif
