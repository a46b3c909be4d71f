/* Results as JSON: one record a result, or one SARIF 2.1.0 log. */
#include "provisioner/compliance/compliance.h"

#include "lib/core/yaml.h"
#include "version.h"

const char *compliance_outcome_name(enum compliance_outcome outcome)
{
    static const char *const names[] = {[COMPLIANCE_PASS] = "pass",
                                        [COMPLIANCE_FAIL] = "fail",
                                        [COMPLIANCE_WAIVED] = "waived",
                                        [COMPLIANCE_MANUAL] = "manual"};
    return names[outcome];
}

void compliance_write_record(const struct compliance_result *result, struct json_writer *json)
{
    json_object_begin(json);
    json_kv_text(json, "type", "compliance");
    json_kv_text(json, "rule", result->rule);
    json_kv_text(json, "title", result->title);
    json_kv_text(json, "clause", result->clause);
    json_kv_text(json, "region", result->region);
    json_kv_text(json, "outcome", compliance_outcome_name(result->outcome));
    json_kv_text(json, "severity", result->severity == DIAG_ERROR ? "error" : "warning");
    json_kv_text(json, "file", result->node ? result->node->file : NULL);
    json_kv_u64(json, "line", result->node ? result->node->line : 0);
    json_kv_u64(json, "column", result->node ? result->node->column : 0);
    json_kv_text(json, "evidence", result->evidence);
    json_kv_text(json, "mend", result->mend);
    json_kv_text(json, "waiver", result->waiver_reason);
    json_object_end(json);
}

static void write_message(struct json_writer *json, const char *key, const char *text)
{
    json_key(json, key);
    json_object_begin(json);
    json_kv_text(json, "text", text);
    json_object_end(json);
}

/* Results of a rule follow each other. */
static void write_rules(const struct compliance_report *report, struct json_writer *json)
{
    json_key(json, "rules");
    json_array_begin(json);
    for (size_t i = 0; i < report->count; i++) {
        const struct compliance_result *result = &report->results[i];
        if (i && strcmp(result->rule, result[-1].rule) == 0)
            continue;
        json_object_begin(json);
        json_kv_text(json, "id", result->rule);
        write_message(json, "shortDescription", result->title);
        write_message(json, "help", result->mend);
        json_object_end(json);
    }
    json_array_end(json);
}

static void write_location(const struct node *node, struct json_writer *json)
{
    json_key(json, "locations");
    json_array_begin(json);
    if (node && node->line) {
        json_object_begin(json);
        json_key(json, "physicalLocation");
        json_object_begin(json);
        json_key(json, "artifactLocation");
        json_object_begin(json);
        json_kv_text(json, "uri", node->file);
        json_object_end(json);
        json_key(json, "region");
        json_object_begin(json);
        json_kv_u64(json, "startLine", node->line);
        json_kv_u64(json, "startColumn", node->column ? node->column : 1);
        json_object_end(json);
        json_object_end(json);
        json_object_end(json);
    }
    json_array_end(json);
}

static void write_result(const struct compliance_result *result, struct json_writer *json)
{
    static const char *const kinds[] = {[COMPLIANCE_PASS] = "pass",
                                        [COMPLIANCE_FAIL] = "fail",
                                        [COMPLIANCE_WAIVED] = "fail",
                                        [COMPLIANCE_MANUAL] = "review"};
    bool failed = result->outcome == COMPLIANCE_FAIL || result->outcome == COMPLIANCE_WAIVED;
    const char *level = !failed ? "none" : result->severity == DIAG_ERROR ? "error" : "warning";
    json_object_begin(json);
    json_kv_text(json, "ruleId", result->rule);
    json_kv_text(json, "kind", kinds[result->outcome]);
    json_kv_text(json, "level", level);
    write_message(json, "message", result->evidence);
    write_location(result->node, json);
    if (result->outcome == COMPLIANCE_WAIVED) {
        json_key(json, "suppressions");
        json_array_begin(json);
        json_object_begin(json);
        json_kv_text(json, "kind", "inSource");
        json_kv_text(json, "justification", result->waiver_reason);
        json_object_end(json);
        json_array_end(json);
    }
    json_object_end(json);
}

void compliance_write_sarif(const struct compliance_report *report, struct json_writer *json)
{
    json_object_begin(json);
    json_kv_text(json, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json_kv_text(json, "version", "2.1.0");
    json_key(json, "runs");
    json_array_begin(json);
    json_object_begin(json);
    json_key(json, "tool");
    json_object_begin(json);
    json_key(json, "driver");
    json_object_begin(json);
    json_kv_text(json, "name", "fraiseql");
    json_kv_text(json, "version", FRAISEQL_VERSION);
    write_rules(report, json);
    json_object_end(json);
    json_object_end(json);
    json_key(json, "results");
    json_array_begin(json);
    for (size_t i = 0; i < report->count; i++)
        write_result(&report->results[i], json);
    json_array_end(json);
    json_object_end(json);
    json_array_end(json);
    json_object_end(json);
}
