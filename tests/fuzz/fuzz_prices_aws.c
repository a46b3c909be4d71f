/* AWS's price list files in whatever pieces: no crash, and the same prices for every cut. */
#include "provisioner/prices/aws_offer.h"
#include "tests/fuzz/prices_feed.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed(void *reader, struct str chunk, struct error *err)
{
    return aws_reader_feed(reader, chunk, err);
}

static struct digest run(const struct prices_scope *scope, const char *offer, const char *location,
                         struct str bytes, size_t step)
{
    struct aws_reader reader;
    struct found found;
    struct error err;
    found_init(&found, 0);
    aws_reader_init(&reader, offer, location, scope, &found);
    struct digest digest = {.code = feed_in_pieces(&reader, feed, bytes, step)};
    if (!digest.code)
        digest.code = aws_reader_end(&reader, &err);
    digest.prices = found_count(&found);
    digest.conflicts = found.conflicts;
    aws_reader_deinit(&reader);
    found_deinit(&found);
    return digest;
}

static void check(const struct prices_scope *scope, const char *offer, const char *location, struct str bytes)
{
    if (!digest_same(run(scope, offer, location, bytes, bytes.len ? bytes.len : 1),
                     run(scope, offer, location, bytes, 3)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena; /* as long as the process */
    static struct prices_scope scope;
    if (!arena) {
        arena = arena_new(0);
        prices_scope_all(&scope, "aws", arena);
    }
    struct str bytes = {(const char *)data, size};
    /* A file says which offer it is of; the others end at that line. */
    for (size_t i = 0; aws_offers[i]; i++)
        check(&scope, aws_offers[i], "us-east-1", bytes);
    for (size_t i = 0; aws_global_offers[i]; i++)
        check(&scope, aws_global_offers[i], "*", bytes);
    return 0;
}
