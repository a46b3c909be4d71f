#include "provisioner/run/credentials.h"

void credential_ask(const struct deployment *deployment, const struct region *region,
                    int64_t deadline_mono_ns, struct arena *arena, struct credential_answer *ret_answer)
{
    const struct provider *provider = region->provider;
    struct credential_check *check = &ret_answer->check;
    struct error err = {0};
    *ret_answer = (struct credential_answer){.region = region,
                                             .state = CREDENTIALS_UNASKED,
                                             .check = {.region = region->name, .provider = provider->name}};
    if (!provider->validate_credentials) {
        check->note = arena_printf(
            arena, "this version does not ask %s who we are; terraform does when it plans", provider->title);
        return;
    }
    int code = provider->validate_credentials(deployment, region, deadline_mono_ns, arena, check, &err);
    check->region = region->name;
    check->provider = provider->name;
    if (code) {
        ret_answer->state = CREDENTIALS_UNKNOWN;
        check->ok = false;
        check->problem = err.line ? arena_printf(arena, "%s:%u: %s", err.file, err.line, err.message)
                                  : arena_strdup(arena, str_from(err.message));
        check->mend = arena_strdup(arena, str_from(err.hint));
        return;
    }
    ret_answer->state = check->ok              ? CREDENTIALS_OK
                        : check->missing.count ? CREDENTIALS_LACKING
                                               : CREDENTIALS_REFUSED;
    if (!check->ok && !check->problem)
        check->problem = "the credentials were refused";
}

const char *credential_state_text(enum credential_state state)
{
    static const char *const texts[] = {[CREDENTIALS_OK] = "ok",
                                        [CREDENTIALS_LACKING] = "lacking",
                                        [CREDENTIALS_REFUSED] = "refused",
                                        [CREDENTIALS_UNKNOWN] = "unknown",
                                        [CREDENTIALS_UNASKED] = "not checked"};
    return texts[state];
}

static void put_answer(struct json_writer *json, const struct credential_answer *answer)
{
    const struct credential_check *check = &answer->check;
    json_object_begin(json);
    json_kv_text(json, "name", answer->region->name);
    json_kv_text(json, "provider", answer->region->provider->name);
    json_kv_text(json, "state", credential_state_text(answer->state));
    json_kv_text(json, "identity", check->identity);
    json_key(json, "permitted"); /* null: not known, or not all of it */
    if (answer->state == CREDENTIALS_LACKING || (answer->state == CREDENTIALS_OK && !check->note))
        json_bool(json, answer->state == CREDENTIALS_OK);
    else
        json_null(json);
    json_kv_text(json, "problem", check->problem);
    json_kv_text(json, "mend", check->mend && check->mend[0] ? check->mend : NULL);
    json_kv_text(json, "note", check->note);
    json_key(json, "missing");
    json_array_begin(json);
    for (size_t i = 0; i < check->missing.count; i++)
        json_text(json, check->missing.items[i]);
    json_array_end(json);
    json_object_end(json);
}

void credential_record(const struct output *out, const struct credential_answer *answers, size_t count)
{
    struct buf record = BUF_INIT(16UL * 1024 * 1024);
    struct json_writer json;
    json_init(&json, &record);
    json_object_begin(&json);
    json_kv_text(&json, "type", "credentials");
    json_key(&json, "regions");
    json_array_begin(&json);
    for (size_t i = 0; i < count; i++)
        put_answer(&json, &answers[i]);
    json_array_end(&json);
    json_object_end(&json);
    output_json(out, buf_str(&record));
    buf_deinit(&record);
}
