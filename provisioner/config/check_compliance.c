/* Residency's regions and zones, and waivers. */
#include "lib/core/str.h"
#include "provisioner/compliance/compliance.h"
#include "provisioner/config/checks.h"
#include "provisioner/config/zone.h"

static bool is_date(const char *text)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (strlen(text) != 10)
        return false;
    for (size_t i = 0; i < 10; i++) {
        bool dash = i == 4 || i == 7;
        if (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9')
            return false;
    }
    int year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + text[3] - '0';
    int month = (text[5] - '0') * 10 + text[6] - '0', day = (text[8] - '0') * 10 + text[9] - '0';
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] &&
           (month != 2 || day < 29 || leap);
}

static void check_residency(const struct deployment *deployment, struct findings *findings)
{
    const struct string_map *residency = &deployment->compliance.data_residency;
    for (size_t i = 0; i < residency->count; i++) {
        const char *zone = residency->items[i].value;
        const char *path = check_path(deployment, "compliance.data-residency.%s", residency->items[i].key);
        const char *region = residency->items[i].key;
        check_at_name(deployment, "compliance.data-residency", region,
                      check_region_name(deployment, region, path, findings));
        if (zone_is_known(zone))
            continue;
        size_t count;
        const char *const *names = zone_names(&count);
        struct finding *finding =
            check_fail(deployment, findings, "residency-zone", path, "unknown zone \"%.60s\"%s", zone,
                       check_nearest(deployment, zone, names, count));
        finding_hint(findings, finding,
                     "Zones are eu-only, eea-only, us-only, apac-only, and codes of "
                     "countries with a location, such as DE.");
    }
}

static void check_rule(const struct deployment *deployment, const char *rule, const char *path,
                       struct findings *findings)
{
    const char *names[COMPLIANCE_RULES_MAX];
    size_t count = compliance_rules(names);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], rule) == 0)
            return;
    }
    (void)check_fail(deployment, findings, "waiver-rule", path, "there is no rule \"%.60s\"%s", rule,
                     check_nearest(deployment, rule, names, count));
}

void check_compliance(const struct deployment *deployment, struct findings *findings)
{
    check_residency(deployment, findings);
    const struct section_list *waivers = &deployment->compliance.waivers;
    for (size_t i = 0; i < waivers->count; i++) {
        const struct compliance_waiver *waiver = SECTION_AT(const struct compliance_waiver, *waivers, i);
        const char *path = check_path(deployment, "compliance.waivers.%zu", i);
        if (waiver->rule)
            check_rule(deployment, waiver->rule, check_path(deployment, "%s.rule", path), findings);
        (void)check_region_name(deployment, waiver->region, check_path(deployment, "%s.region", path),
                                findings);
        if (waiver->reason && !waiver->reason[strspn(waiver->reason, " \t\r\n")])
            (void)check_fail(deployment, findings, "waiver-reason", check_path(deployment, "%s.reason", path),
                             "is blank, and an auditor reads it");
        if (waiver->until && !is_date(waiver->until))
            (void)check_fail(deployment, findings, "waiver-date", check_path(deployment, "%s.until", path),
                             "want a day as YYYY-MM-DD, found \"%.60s\"", waiver->until);
    }
}
