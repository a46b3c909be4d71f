#include "provisioner/catalog/price_list.h"

#include "lib/core/env.h"
#include "lib/core/file.h"
#include "lib/core/map.h"
#include "lib/core/units.h"
#include "provisioner/catalog/csv.h"
#include "provisioner/embedded.h"
#include "provisioner/provider.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define LIST_FIELDS  6
#define USD_DIGITS   9
#define MAX_NANO_USD (INT64_C(100000) * NANO_USD) /* nothing is sold by a unit dearer than that */
#define KEY_BYTES    256

static struct {
    pthread_once_t once;
    struct arena *arena;
    struct map layers[PRICE_LAYERS]; /* struct price by key_of() */
} lists = {.once = PTHREAD_ONCE_INIT};

/* One list while it is read. */
struct reading {
    enum price_layer layer;
    const char *provider;
    unsigned row;
    struct error err;
};

static bool is_date(struct str text)
{
    static const char shape[] = "dddd-dd-dd";
    bool good = text.len == sizeof shape - 1;
    for (size_t i = 0; good && i < text.len; i++)
        good = shape[i] == 'd' ? text.ptr[i] >= '0' && text.ptr[i] <= '9' : text.ptr[i] == shape[i];
    return good;
}

static struct str key_of(char key[KEY_BYTES], struct str provider, struct str location, struct str item)
{
    (void)snprintf(key, KEY_BYTES, "%.*s\n%.*s\n%.*s", STR_ARGS(provider), STR_ARGS(location),
                   STR_ARGS(item));
    return str_from(key);
}

static int refuse_row(struct reading *reading, const char *what, struct str found, const char *allowed)
{
    return error_set(&reading->err, ERR_PARSE, "price %u: %s \"%.*s\" is not %s", reading->row, what,
                     (int)(found.len > 80 ? 80 : found.len), found.ptr, allowed);
}

static int check_row(struct reading *reading, struct str provider, const struct str *fields, int64_t *ret_usd)
{
    static const char *const units[] = {"hour", "month", "GB", "GB-month", "thousand", "million"};
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s", STR_ARGS(provider));
    if (!provider_find(name))
        return refuse_row(reading, "provider", provider, "one that this program knows");
    uint64_t nano_usd;
    if (units_parse_decimal(fields[2], USD_DIGITS, &nano_usd, NULL) || nano_usd > MAX_NANO_USD)
        return refuse_row(reading, "usd", fields[2], "a decimal of at most nine digits after the point");
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        known = known || str_equal_text(fields[3], units[i]);
    if (!known)
        return refuse_row(reading, "unit", fields[3], "hour, month, GB, GB-month, thousand or million");
    if (!is_date(fields[5]))
        return refuse_row(reading, "date", fields[5], "of the form YYYY-MM-DD");
    if (fields[0].len == 0 || fields[0].len > 64 || fields[1].len == 0 || fields[1].len > 96)
        return refuse_row(reading, "location or item", fields[1], "a name of at most 64 and 96 bytes");
    *ret_usd = (int64_t)nano_usd;
    return 0;
}

static void take_price(void *ctx, const struct str *fields, size_t count)
{
    struct reading *reading = ctx;
    struct str provider = str_from(reading->provider);
    size_t wanted = LIST_FIELDS + (reading->provider ? 0 : 1);
    int64_t nano_usd = 0;
    reading->row++;
    if (reading->err.code)
        return;
    if (count != wanted) {
        (void)error_set(&reading->err, ERR_PARSE, "price %u has %zu fields, not %zu", reading->row, count,
                        wanted);
        return;
    }
    if (!reading->provider)
        provider = *fields++;
    if (check_row(reading, provider, fields, &nano_usd))
        return;
    char key[KEY_BYTES];
    struct price *price = arena_zalloc(lists.arena, sizeof *price);
    *price = (struct price){nano_usd, arena_strdup(lists.arena, fields[3]),
                            arena_strdup(lists.arena, fields[4]), arena_strdup(lists.arena, fields[5])};
    struct str own = key_of(key, provider, fields[0], fields[1]);
    (void)map_put(&lists.layers[reading->layer], str_from(arena_strdup(lists.arena, own)), price);
}

static int read_list(enum price_layer layer, const char *provider, const char *path, struct str bytes,
                     struct error *err)
{
    struct reading reading = {.layer = layer, .provider = provider};
    csv_each(bytes, take_price, &reading);
    if (!reading.err.code)
        return 0;
    (void)error_set(err, ERR_PARSE, "%s: %s", path, reading.err.message);
    error_set_hint(err, "the columns are %slocation,item,usd,unit,source,date", provider ? "" : "provider,");
    return ERR_PARSE;
}

static void read_built_in(void)
{
    lists.arena = arena_new(0);
    for (size_t i = 0; i < PRICE_LAYERS; i++)
        map_init(&lists.layers[i]);
    for (const struct provider *const *provider = provider_all(); *provider; provider++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/catalog/prices.csv", (*provider)->name);
        const struct embedded_file *file = embedded_find(path);
        /* A line of our own that does not read leaves its price unknown; the unit test reads them all. */
        int code = file ? read_list(PRICES_BUILT_IN, (*provider)->name, path, file->bytes, NULL) : 0;
        (void)code;
    }
}

int price_list_read(enum price_layer layer, const char *provider, const char *path, struct str bytes,
                    struct error *err)
{
    (void)pthread_once(&lists.once, read_built_in);
    return read_list(layer, provider, path, bytes, err);
}

const char *price_list_path(const char *provider, struct arena *arena)
{
    const char *folder = env_get("FRAISEQL_PRICES"), *base = env_get("XDG_CACHE_HOME");
    if (!folder && base)
        folder = arena_printf(arena, "%s/fraiseql/prices", base);
    if (!folder && (base = env_get("HOME")))
        folder = arena_printf(arena, "%s/.cache/fraiseql/prices", base);
    return folder && provider ? arena_printf(arena, "%s/%s.csv", folder, provider) : folder;
}

static int load(enum price_layer layer, const char *provider, const char *path, struct error *err)
{
    struct buf bytes = BUF_INIT(PRICE_LIST_MAX_BYTES);
    int code = file_read(path, &bytes, err);
    if (!code)
        code = price_list_read(layer, provider, path, buf_str(&bytes), err);
    buf_deinit(&bytes);
    return code;
}

int price_list_load_cache(struct error *err)
{
    struct arena *arena = arena_new(0);
    int code = 0;
    for (const struct provider *const *provider = provider_all(); *provider && !code; provider++) {
        const char *path = price_list_path((*provider)->name, arena);
        if (path && access(path, F_OK) == 0)
            code = load(PRICES_CACHED, (*provider)->name, path, err);
    }
    arena_free(arena);
    if (code)
        error_set_hint(err, "remove it or write it anew; without it the prices in the "
                            "program are used");
    return code;
}

int price_list_load_file(const char *path, struct error *err)
{
    return load(PRICES_GIVEN, NULL, path, err);
}

void price_list_look(enum price_layer layer, const char *provider, struct price_list_facts *ret_facts)
{
    char key[KEY_BYTES];
    struct price_list_facts facts = {0};
    (void)pthread_once(&lists.once, read_built_in);
    (void)snprintf(key, sizeof key, "%s\n", provider);
    MAP_EACH (entry, &lists.layers[layer]) {
        const struct price *price = entry->value;
        if (!str_starts(entry->key, str_from(key)))
            continue;
        facts.prices++;
        if (!facts.oldest || strcmp(price->date, facts.oldest) < 0)
            facts.oldest = price->date;
        if (!facts.newest || strcmp(price->date, facts.newest) > 0)
            facts.newest = price->date;
    }
    *ret_facts = facts;
}

void price_list_each(enum price_layer layer, const char *provider, price_list_fn *fn, void *ctx)
{
    char key[KEY_BYTES], location[KEY_BYTES];
    (void)pthread_once(&lists.once, read_built_in);
    (void)snprintf(key, sizeof key, "%s\n", provider);
    MAP_EACH (entry, &lists.layers[layer]) {
        if (!str_starts(entry->key, str_from(key)))
            continue;
        const char *place = entry->key.ptr + strlen(key), *item = strchr(place, '\n') + 1;
        (void)snprintf(location, sizeof location, "%.*s", (int)(item - 1 - place), place);
        fn(ctx, location, item);
    }
}

const struct price *catalog_price(const char *provider, const char *location, const char *item)
{
    (void)pthread_once(&lists.once, read_built_in);
    char key[KEY_BYTES];
    for (size_t layer = PRICE_LAYERS; layer-- > 0;) {
        const char *places[] = {location, "*"};
        if (lists.layers[layer].count == 0)
            continue;
        for (size_t i = 0; i < ARRAY_LEN(places); i++) {
            const struct price *price = map_get(
                &lists.layers[layer], key_of(key, str_from(provider), str_from(places[i]), str_from(item)));
            if (price)
                return price;
        }
    }
    return NULL;
}

void price_list_write_header(struct buf *out)
{
    buf_append_text(out, "# location,item,usd,unit,source,date\n");
}

static void write_field(struct buf *out, const char *text, char end)
{
    for (; *text; text++)
        buf_append_byte(out, *text == ',' || (unsigned char)*text < ' ' ? ' ' : *text);
    buf_append_byte(out, end);
}

void price_list_write(struct buf *out, const char *location, const char *item, const struct price *price)
{
    char usd[UNITS_TEXT_MAX];
    write_field(out, location, ',');
    write_field(out, item, ',');
    write_field(out, units_format_decimal((uint64_t)price->nano_usd, USD_DIGITS, usd), ',');
    write_field(out, price->unit, ',');
    write_field(out, price->source, ',');
    write_field(out, price->date, '\n');
}
