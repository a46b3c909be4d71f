/* Where every copy of a region's data lies. What deployment_load() judged is taken over; what the file only
 * names (an endpoint, a key, a bucket) is for a person to check. */
#include "provisioner/compliance/internal.h"

#include "lib/core/yaml.h"
#include "provisioner/catalog/catalog.h"
#include "provisioner/config/zone.h"
#include "provisioner/provider.h"

static const char *zone_of(const struct judging *judging, struct compliance_result *result)
{
    const struct string_map *map = &judging->deployment->compliance.data_residency;
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->items[i].key, judging->region->name) != 0)
            continue;
        result->node =
            deployment_node(judging->deployment, arena_printf(judging->arena, "compliance.data-residency.%s",
                                                              judging->region->name));
        return map->items[i].value;
    }
    return NULL;
}

/* What loading lets through because the file does not say enough: a filter whose effect on rows is not known,
 * a copy whose place is not in the catalogue. */
static bool needs_a_person(const struct judging *judging)
{
    const struct deployment *deployment = judging->deployment;
    const struct deployment_backup *backup = &deployment->backup;
    const struct location *home = judging->region->location;
    if (!home)
        return true;
    if (strcmp(judging->rule, "residency-replication") == 0)
        return deployment->replication.mode != REPLICATION_NONE && deployment->replication.filters.count;
    if (strcmp(judging->rule, "residency-backup") != 0 || !backup->enabled || !backup->geo_redundant)
        return false;
    const char *copy = backup->copy_location ? backup->copy_location : home->backup_pair;
    return !copy || !catalog_location(judging->region->provider_name, copy);
}

static bool by_hand(const struct judging *judging, struct compliance_result *result, const char *what,
                    const char *section, const char *key)
{
    const char *zone = zone_of(judging, result);
    if (!zone)
        return false;
    (void)compliance_origin(judging, section, key, result);
    result->outcome = COMPLIANCE_MANUAL;
    result->evidence = arena_printf(judging->arena, "%s; %s is %s", what, judging->region->name, zone);
    return true;
}

/* What lies in a place that the file names. False: nothing of the region must stay in a zone. */
static bool by_place(const struct judging *judging, struct compliance_result *result,
                     const struct location *place, const char *what, const char *section, const char *key)
{
    const char *zone = zone_of(judging, result);
    if (!zone)
        return false;
    const char *origin = compliance_origin(judging, section, key, result);
    result->outcome = zone_contains(zone, place) ? COMPLIANCE_PASS : COMPLIANCE_FAIL;
    result->evidence = arena_printf(judging->arena, "%s lies in %s (%s, %s)%s; %s is %s", what, place->name,
                                    place->city, place->country, origin, judging->region->name, zone);
    return true;
}

/* pgBackRest's store. AWS' own buckets have a place that is known; another endpoint's is its owner's. */
static bool judge_store(const struct judging *judging, struct compliance_result *result)
{
    const struct deployment_backup_store *store = &judging->deployment->backup.store;
    if (store->type != STORE_S3)
        return by_hand(judging, result, "backups lie on the region's host, whose place is its location",
                       "backup.store", "type");
    const struct location *place =
        store->location && !store->endpoint ? catalog_location("aws", store->location) : NULL;
    result->mend = "Name a bucket of the zone in backup.store.";
    return place ? by_place(judging, result, place, "the bucket of backups", "backup.store", "location")
                 : by_hand(judging, result, "backup.store.endpoint does not tell where it keeps backups",
                           "backup.store", "endpoint");
}

bool compliance_judge_residency(const struct judging *judging, struct compliance_result *result)
{
    const char *zone = zone_of(judging, result);
    if (!zone)
        return false;
    if (strcmp(judging->rule, "residency-backup") == 0 && judging->region->provider->own_hosts &&
        judging->deployment->backup.enabled)
        return judge_store(judging, result);
    for (size_t i = 0; i < judging->loaded->count; i++) {
        const struct finding *finding = &judging->loaded->items[i];
        if (!finding->contradiction || strcmp(finding->rule, judging->rule) != 0 ||
            finding->line != result->node->line || finding->column != result->node->column)
            continue;
        result->outcome = COMPLIANCE_FAIL;
        result->contradiction = true;
        result->evidence = finding->message;
        result->mend = finding->hint ? finding->hint : result->mend;
        return true;
    }
    result->outcome = needs_a_person(judging) ? COMPLIANCE_MANUAL : COMPLIANCE_PASS;
    result->evidence =
        arena_printf(judging->arena,
                     result->outcome == COMPLIANCE_PASS
                         ? "nothing in the file contradicts compliance.data-residency.%s: %s"
                         : "the file does not show where every copy of %s goes; its zone is %s",
                     judging->region->name, zone);
    return true;
}

bool compliance_judge_telemetry(const struct judging *judging, struct compliance_result *result)
{
    const char *endpoint = judging->deployment->monitoring.otlp_endpoint;
    return endpoint && by_hand(judging, result, "monitoring.otlp-endpoint does not tell where it keeps data",
                               "monitoring", "otlp-endpoint");
}

bool compliance_judge_alerts(const struct judging *judging, struct compliance_result *result)
{
    const char *webhook = judging->deployment->monitoring.webhook;
    return webhook && by_hand(judging, result, "monitoring.webhook does not tell where it keeps alerts",
                              "monitoring", "webhook");
}

/* AWS and Google write it into a key's name: arn:aws:kms:PLACE:..., projects/P/locations/PLACE/... */
static const struct location *place_of_key(const struct judging *judging, const char *key)
{
    static const char *const marks[] = {":kms:", "/locations/"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        const char *found = strstr(key, marks[i]);
        if (!found)
            continue;
        found += strlen(marks[i]);
        const char *name = arena_printf(judging->arena, "%.*s", (int)strcspn(found, ":/"), found);
        return catalog_location(judging->region->provider_name, name);
    }
    return NULL;
}

bool compliance_judge_keys(const struct judging *judging, struct compliance_result *result)
{
    const char *key = judging->region->database.encryption_key;
    if (!key)
        return false;
    const char *section = arena_printf(judging->arena, "regions.%s.database", judging->region->name);
    const struct location *place = place_of_key(judging, key);
    return place ? by_place(judging, result, place, "database.encryption-key", section, "encryption-key")
                 : by_hand(judging, result, "the place of database.encryption-key is the key's own", section,
                           "encryption-key");
}

bool compliance_judge_state(const struct judging *judging, struct compliance_result *result)
{
    const struct deployment_state *state = &judging->deployment->state;
    const struct location *place =
        state->backend == STATE_S3 && state->location ? catalog_location("aws", state->location) : NULL;
    return place
               ? by_place(judging, result, place, "the state's bucket", "state", "location")
               : by_hand(judging, result, "where the state's backend keeps it is not checked with the cloud",
                         "state", "backend");
}

bool compliance_judge_transfer(const struct judging *judging, struct compliance_result *result)
{
    const struct location *place = judging->region->location;
    if (zone_of(judging, result) || (place && (place->eea || place->eu)))
        return false;
    (void)compliance_origin(judging, arena_printf(judging->arena, "regions.%s", judging->region->name),
                            "location", result);
    result->outcome = COMPLIANCE_MANUAL;
    result->evidence =
        arena_printf(judging->arena, "%s is in %s, outside the EEA or not known to be inside",
                     judging->region->location_name, place ? place->country : "an unknown country");
    return true;
}
