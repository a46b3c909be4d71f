/* Results as JSON: one record a result, or one SARIF 2.1.0 log. */
#include "provisioner/compliance/compliance.h"

#include "lib/core/hash.h"
#include "lib/core/yaml.h"
#include "version.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define URI_MAX (3 * PATH_MAX + 16)

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

/* A path below the working directory is named from there, as code scanning wants it, another one as a file's
 * URL; bytes outside of RFC 3986's unreserved ones and / are escaped. */
static const char *uri_of(const char *path, char uri[URI_MAX])
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    char here[PATH_MAX];
    size_t length = getcwd(here, sizeof here) ? strlen(here) : 0;
    if (length > 1 && strncmp(path, here, length) == 0 && path[length] == '/')
        path += length + 1;
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    int used = snprintf(uri, URI_MAX, "%s", path[0] == '/' ? "file://" : "");
    for (; *path && used < URI_MAX - 4; path++) {
        bool as_is = strchr(plain, *path) != NULL;
        used += snprintf(uri + used, URI_MAX - (size_t)used, as_is ? "%c" : "%%%02X", (unsigned char)*path);
    }
    return uri;
}

/* GitHub's scanning takes every result for something to mend, whatever its kind: what passes is left out. */
static bool is_shown(const struct compliance_result *result)
{
    return result->outcome != COMPLIANCE_PASS;
}

/* Results of a rule follow each other. */
static bool is_first_of_rule(const struct compliance_report *report, size_t i)
{
    return i == 0 || strcmp(report->results[i].rule, report->results[i - 1].rule) != 0;
}

static void write_rules(const struct compliance_report *report, struct json_writer *json)
{
    json_key(json, "rules");
    json_array_begin(json);
    for (size_t i = 0; i < report->count; i++) {
        const struct compliance_result *result = &report->results[i];
        if (!is_first_of_rule(report, i))
            continue;
        json_object_begin(json);
        json_kv_text(json, "id", result->rule);
        write_message(json, "shortDescription", result->title);
        write_message(json, "fullDescription", result->clause);
        write_message(json, "help", result->mend);
        json_key(json, "defaultConfiguration");
        json_object_begin(json);
        json_kv_text(json, "level", result->severity == DIAG_ERROR ? "error" : "warning");
        json_object_end(json);
        json_object_end(json);
    }
    json_array_end(json);
}

static void write_location(const struct node *node, struct json_writer *json)
{
    json_key(json, "locations");
    char uri[URI_MAX];
    json_array_begin(json);
    if (node && node->line) {
        json_object_begin(json);
        json_key(json, "physicalLocation");
        json_object_begin(json);
        json_key(json, "artifactLocation");
        json_object_begin(json);
        json_kv_text(json, "uri", uri_of(node->file, uri));
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

/* Of what the result is about, not of its line, so that an edit above it makes no new one. */
static void write_fingerprint(const struct compliance_result *result, struct json_writer *json)
{
    char text[128];
    int length = snprintf(text, sizeof text, "%s/%s", result->rule, result->region ? result->region : "");
    struct str whole = {text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1};
    (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)hash_stable(whole));
    json_key(json, "partialFingerprints");
    json_object_begin(json);
    json_kv_text(json, "ruleAndRegion/v1", text);
    json_object_end(json);
}

static void write_result(const struct compliance_result *result, size_t rule, struct json_writer *json)
{
    static const char *const kinds[] = {[COMPLIANCE_PASS] = "pass",
                                        [COMPLIANCE_FAIL] = "fail",
                                        [COMPLIANCE_WAIVED] = "fail",
                                        [COMPLIANCE_MANUAL] = "review"};
    bool failed = result->outcome == COMPLIANCE_FAIL || result->outcome == COMPLIANCE_WAIVED;
    const char *level = !failed ? "none" : result->severity == DIAG_ERROR ? "error" : "warning";
    json_object_begin(json);
    json_kv_text(json, "ruleId", result->rule);
    json_kv_u64(json, "ruleIndex", rule);
    json_kv_text(json, "kind", kinds[result->outcome]);
    json_kv_text(json, "level", level);
    write_message(json, "message", result->evidence);
    write_location(result->node, json);
    write_fingerprint(result, json);
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
    for (size_t i = 0, rules = 0; i < report->count; i++) {
        rules += is_first_of_rule(report, i);
        if (is_shown(&report->results[i]))
            write_result(&report->results[i], rules - 1, json);
    }
    json_array_end(json);
    json_object_end(json);
    json_array_end(json);
    json_object_end(json);
}
