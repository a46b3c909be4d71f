/* What a request for /metrics may say: Accept, Accept-Encoding and name[] filters, separated by NUL. Whatever
 * it is, a page comes out that ends as its format demands and has no line of a family that was not asked for.
 */
#include "exporters/exposition.h"
#include "lib/core/arena.h"
#include "lib/core/buf.h"
#include "lib/metrics/batch.h"

#include <stdlib.h>

#define MAX_NAMES 16

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct hub *make_hub(void)
{
    static const struct metric_desc descs[] = {{"a_total", METRIC_COUNTER, "A counter.", NULL},
                                               {"b_seconds", METRIC_GAUGE, "A \"gauge\".\n", "seconds"},
                                               {"c", METRIC_UNTYPED, "", NULL}};
    struct hub *hub = hub_new(NULL);
    struct batch *batch = batch_new(&(struct batch_options){0});
    batch_begin(batch);
    for (size_t i = 0; i < ARRAY_LEN(descs); i++) {
        struct label label = LABEL("x", STR("1\"\\\n"));
        batch_put(batch, &descs[i], &label, 1, VALUE_OF_F64(0.1 * (double)i));
    }
    struct error err;
    if (hub_publish(hub_register(hub, "fuzz", "fuzz", 0), batch_finish(batch, 1, 1), &err) != 0)
        abort();
    batch_free(batch);
    return hub;
}

/* The next piece up to a NUL; NULL at the end. */
static char *next_piece(const uint8_t **bytes, size_t *size)
{
    if (!*size)
        return NULL;
    const uint8_t *end = memchr(*bytes, 0, *size);
    size_t length = end ? (size_t)(end - *bytes) : *size;
    char *piece = xstrndup((struct str){(const char *)*bytes, length});
    size_t used = length + (end ? 1 : 0);
    *bytes += used;
    *size -= used;
    return piece;
}

static void check_page(const struct exposition_choice *choice, const char *const *names, size_t count,
                       struct str page)
{
    bool openmetrics = choice->format != EXPOSITION_TEXT;
    if (openmetrics != str_ends(page, STR("# EOF\n")) || (page.len && page.ptr[page.len - 1] != '\n'))
        abort();
    bool asked = count == 0;
    for (size_t i = 0; i < count; i++)
        asked |= strcmp(names[i], "b_seconds") == 0;
    if (page.len == 0)
        page = STR("");
    if (asked != (memmem(page.ptr, page.len, "\nb_seconds{", 11) != NULL))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct hub *hub;
    if (!hub)
        hub = make_hub();
    char *accept = next_piece(&bytes, &size), *encoding = next_piece(&bytes, &size), *names[MAX_NAMES];
    size_t count = 0;
    while (count < MAX_NAMES && (names[count] = next_piece(&bytes, &size)))
        count++;
    struct exposition_choice choice;
    exposition_negotiate(accept, encoding, &choice);
    struct exposition_options options = {
        .format = choice.format, .names = (const char *const *)names, .name_count = count};
    struct buf page = BUF_INIT(1 << 20);
    char piece[97];
    for (unsigned gzip = 0; gzip < 2; gzip++) {
        options.gzip_level = gzip ? 1 : 0;
        struct exposition *exposition = exposition_new(hub_view_take(hub, NULL, NULL), &options);
        buf_reset(&page);
        for (size_t got; (got = exposition_pull(exposition, piece, sizeof piece));)
            buf_append(&page, piece, got);
        exposition_free(exposition);
        if (!gzip)
            check_page(&choice, options.names, count, buf_str(&page));
    }
    buf_deinit(&page);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(accept);
    free(encoding);
    return 0;
}
