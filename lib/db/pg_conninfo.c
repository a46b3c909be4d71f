/* Connection strings (lib/db/pg_internal.h). libpq's own messages are not shown: they quote pieces of the
 * string, and a piece may be a part of a password. */
#include "lib/db/pg_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pg_params_deinit(struct pg_params *params)
{
    for (size_t i = 0; i < params->count; i++) {
        explicit_bzero(params->values[i], strlen(params->values[i]));
        free(params->values[i]);
    }
    params->count = 0;
}

const char *pg_params_get(const struct pg_params *params, const char *keyword)
{
    for (size_t i = 0; i < params->count; i++)
        if (strcmp(params->keywords[i], keyword) == 0)
            return params->values[i][0] ? params->values[i] : NULL;
    return NULL;
}

/* The keyword is static text. */
static void add(struct pg_params *params, const char *keyword, const char *value)
{
    if (params->count == PG_MAX_KEYWORDS)
        return; /* libpq knows fewer */
    params->keywords[params->count] = keyword;
    params->values[params->count++] = xstrdup(value);
}

void pg_params_set(struct pg_params *params, const char *keyword, const char *value)
{
    for (size_t i = 0; i < params->count; i++) {
        if (strcmp(params->keywords[i], keyword) != 0)
            continue;
        explicit_bzero(params->values[i], strlen(params->values[i]));
        free(params->values[i]);
        params->values[i] = xstrdup(value);
        return;
    }
    add(params, keyword, value);
}

void pg_params_set_default(struct pg_params *params, const char *keyword, const char *value)
{
    if (!pg_params_get(params, keyword))
        pg_params_set(params, keyword, value);
}

bool pg_list_item(const char *list, size_t index, struct str *ret_item)
{
    for (size_t i = 0; list; i++) {
        size_t len = strcspn(list, ",");
        if (i == index) {
            *ret_item = str_trim((struct str){list, len});
            return true;
        }
        list = list[len] ? list + len + 1 : NULL;
    }
    return false;
}

/* Every keyword libpq knows, with static storage for the names we keep. */
static const char *const known_keywords[] = {"host",
                                             "hostaddr",
                                             "port",
                                             "dbname",
                                             "user",
                                             "password",
                                             "passfile",
                                             "channel_binding",
                                             "connect_timeout",
                                             "client_encoding",
                                             "options",
                                             "application_name",
                                             "fallback_application_name",
                                             "keepalives",
                                             "keepalives_idle",
                                             "keepalives_interval",
                                             "keepalives_count",
                                             "tcp_user_timeout",
                                             "gssencmode",
                                             "sslmode",
                                             "sslcompression",
                                             "sslcert",
                                             "sslkey",
                                             "sslpassword",
                                             "sslrootcert",
                                             "sslcrl",
                                             "sslcrldir",
                                             "sslsni",
                                             "requirepeer",
                                             "ssl_min_protocol_version",
                                             "ssl_max_protocol_version",
                                             "krbsrvname",
                                             "gsslib",
                                             "target_session_attrs",
                                             "require_auth",
                                             "sslcertmode",
                                             "load_balance_hosts",
                                             "gssdelegation"};

static const char *find_known(const char *keyword)
{
    for (size_t i = 0; i < ARRAY_LEN(known_keywords); i++)
        if (strcmp(known_keywords[i], keyword) == 0)
            return known_keywords[i];
    return NULL;
}

static bool is_keyword(struct str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!((word.ptr[i] >= 'a' && word.ptr[i] <= 'z') || (word.ptr[i] >= 'A' && word.ptr[i] <= 'Z') ||
              word.ptr[i] == '_'))
            return false;
    return word.len > 0 && word.len <= 40;
}

/* libpq says: invalid connection option "x". What stands behind a password may be a part of it. */
static int refuse(const char *conninfo, const char *libpq_text, struct error *err)
{
    const char *open = libpq_text ? strchr(libpq_text, '"') : NULL;
    const char *end = open ? strchr(open + 1, '"') : NULL;
    const char *password = strstr(conninfo, "password");
    if (!open || !end || !strstr(libpq_text, "option"))
        open = end = NULL;
    struct str word = open ? (struct str){open + 1, (size_t)(end - open - 1)} : (struct str){0};
    char text[48] = "";
    if (is_keyword(word))
        (void)snprintf(text, sizeof text, "%.*s", STR_ARGS(word));
    const char *place = text[0] ? strstr(conninfo, text) : NULL;
    bool uri = strstr(conninfo, "://") != NULL;
    if (!place || (password && place > password) || (uri && place && strchr(place, '@'))) {
        (void)error_set(err, ERR_CONFIG, "the connection string cannot be read");
        error_set_hint(err,
                       uri ? "write it as postgresql://user@host:port/dbname?keyword=value, special "
                             "characters as %%XX"
                           : "write it as keyword=value pairs; values with spaces, quotes or backslashes go "
                             "between single quotes");
        return ERR_CONFIG;
    }
    (void)error_set(err, ERR_CONFIG, "unknown keyword \"%s\" in the connection string", text);
    const char *nearest = str_nearest(text, known_keywords, ARRAY_LEN(known_keywords));
    if (nearest)
        error_set_hint(err, "did you mean %s?", nearest);
    return ERR_CONFIG;
}

static int check_values(const struct pg_params *params, struct error *err)
{
    static const char *const modes[] = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
    const char *mode = pg_params_get(params, "sslmode");
    bool known = !mode;
    for (size_t i = 0; mode && i < ARRAY_LEN(modes); i++)
        known = known || strcmp(mode, modes[i]) == 0;
    if (!known)
        return error_set(err, ERR_CONFIG,
                         "sslmode of the connection string is none of disable, allow, prefer, "
                         "require, verify-ca, verify-full");
    struct str port;
    const char *ports = pg_params_get(params, "port");
    for (size_t i = 0; ports && pg_list_item(ports, i, &port); i++) {
        uint64_t number;
        if (port.len && (!str_to_u64(port, &number) || number < 1 || number > 65535))
            return error_set(err, ERR_CONFIG,
                             "the port of the connection string is not a number from 1 to 65535");
    }
    return 0;
}

int pg_params_parse(const char *conninfo, struct pg_params *params, struct error *err)
{
    char *text = NULL;
    *params = (struct pg_params){0};
    PQconninfoOption *options = PQconninfoParse(conninfo, &text);
    if (!options) {
        int rc = refuse(conninfo, text, err);
        PQfreemem(text);
        return rc;
    }
    int rc = 0;
    for (const PQconninfoOption *option = options; option->keyword && rc == 0; option++) {
        if (!option->val)
            continue;
        const char *keyword = find_known(option->keyword);
        if (keyword)
            add(params, keyword, option->val);
        else /* service (it hides the host from us), replication, authtype ... */
            rc = error_set(err, ERR_CONFIG, "keyword \"%s\" is not supported in the connection string",
                           option->keyword);
    }
    PQconninfoFree(options);
    if (rc == 0)
        rc = check_values(params, err);
    if (rc < 0)
        pg_params_deinit(params);
    return rc;
}

int pg_check_conninfo(const char *conninfo, struct error *err)
{
    struct pg_params params;
    int rc = pg_params_parse(conninfo, &params, err);
    if (rc == 0)
        pg_params_deinit(&params);
    return rc;
}

void pg_conninfo_target(const char *conninfo, char *target, size_t size)
{
    struct pg_params params;
    struct str host = STR("localhost"), port = STR("5432"), item;
    if (pg_params_parse(conninfo, &params, NULL) < 0) {
        (void)snprintf(target, size, "unknown:5432");
        return;
    }
    const char *hosts = pg_params_get(&params, "host");
    if (!hosts)
        hosts = pg_params_get(&params, "hostaddr");
    if (hosts && pg_list_item(hosts, 0, &item) && item.len)
        host = item;
    const char *ports = pg_params_get(&params, "port");
    if (ports && pg_list_item(ports, 0, &item) && item.len)
        port = item;
    bool v6 = host.ptr[0] != '/' && memchr(host.ptr, ':', host.len);
    (void)snprintf(target, size, "%s%.*s%s:%.*s", v6 ? "[" : "", STR_ARGS(host), v6 ? "]" : "",
                   STR_ARGS(port));
    pg_params_deinit(&params);
}
