/* Rules of gdpr, hipaa, soc2 and sox over a deployment, as data (rules.csv): each with an id, the clauses it
 * comes from, the line it judges, the evidence and the mend.
 *
 * Where data must stay in a zone is judged by deployment_load() already; its contradictions are taken over as
 * the results of the rules of their ids, so that there is one judge.
 *
 * A rule that says nothing about a region or a deployment (no data-residency, no replication) is not
 * applicable: it is listed apart, counted by the summaries of text, and no record of JSON or SARIF.
 *
 * Ownership: everything lives in the arena given. Threads: any; `today` is given, so there is no clock here.
 */
#ifndef FRAISEQL_PROVISIONER_COMPLIANCE_H
#define FRAISEQL_PROVISIONER_COMPLIANCE_H

#include "lib/core/json.h"
#include "provisioner/deployment.h"
#include "provisioner/output.h"

#define COMPLIANCE_STANDARDS 4
extern const char *const compliance_standards[COMPLIANCE_STANDARDS];

enum compliance_outcome { COMPLIANCE_PASS, COMPLIANCE_FAIL, COMPLIANCE_WAIVED, COMPLIANCE_MANUAL };

struct compliance_clause {
    const char *text; /* NULL: the standard is not asked for, or the rule is not part of it */
    enum diag_severity severity;
};

struct compliance_result {
    const char *rule, *title, *clause; /* clause: "hipaa 164.312(a)(2)(iv); soc2 CC6.1" */
    struct compliance_clause clauses[COMPLIANCE_STANDARDS];
    const char *region; /* NULL: the whole deployment */
    enum compliance_outcome outcome;
    enum diag_severity severity; /* the worst of the standards */
    bool contradiction;          /* a finding of deployment_load() says the same */
    const struct node *node;     /* the line it judges */
    const char *evidence, *mend, *waiver_reason, *waiver_until;
};

struct compliance_report {
    struct compliance_result *results;
    size_t count, passed, failed, waived, manual;
    size_t errors; /* of the failed, those of severity error */
    struct compliance_result *not_applicable;
    size_t not_applicable_count;
    struct findings findings; /* about waivers: expired (error), unused (warning) */
};

/* `today` is YYYY-MM-DD; `loaded` is what deployment_load() found. */
void compliance_judge(const struct deployment *deployment, const struct findings *loaded, const char *today,
                      struct arena *arena, struct compliance_report *ret_report);

/* Waivers whose last day is over, as warnings. */
void compliance_warn_expired(const struct deployment *deployment, const char *today,
                             struct findings *findings);

/* The ids of all rules; returns how many. */
#define COMPLIANCE_RULES_MAX 64
size_t compliance_rules(const char *ret_names[COMPLIANCE_RULES_MAX]);

const char *compliance_outcome_name(enum compliance_outcome outcome);
/* One record of --json, and a SARIF 2.1.0 log. */
void compliance_write_record(const struct compliance_result *result, struct json_writer *json);
void compliance_write_sarif(const struct compliance_report *report, struct json_writer *json);
/* A group a standard, with its summary; what is not met comes first. `file` where a result has no line. */
void compliance_show(const struct compliance_report *report, const char *file, const struct output *out);

#endif
