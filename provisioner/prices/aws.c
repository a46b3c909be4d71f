/* AWS: the service index names the index of each service's regions, and beside that lies a file a region; of
 * what costs the same everywhere it names the one file. */
#include "provisioner/prices/aws_offer.h"
#include "provisioner/prices/source.h"

#define MAX_INDEX_BYTES (16UL * 1024 * 1024)
#define MAX_FILE_BYTES  (4UL * 1024 * 1024 * 1024)
#define INDEX           "/offers/v1.0/aws/index.json"
#define FOLDER          "/offers/v1.0/aws/"

struct file {
    struct aws_reader reader;
    struct found found; /* of this file alone, until it is complete */
    const char *offer, *location;
    const struct prices_scope *scope;
};

static void begin_file(void *ctx)
{
    struct file *file = ctx;
    aws_reader_deinit(&file->reader);
    aws_reader_init(&file->reader, file->offer, file->location, file->scope, &file->found);
    found_reset(&file->found);
}

static int feed_file(void *ctx, struct str chunk, struct error *err)
{
    return aws_reader_feed(&((struct file *)ctx)->reader, chunk, err);
}

static int end_file(void *ctx, struct error *err)
{
    return aws_reader_end(&((struct file *)ctx)->reader, err);
}

/* "/offers/v1.0/aws/AmazonEC2/current/region_index.json": nothing that leads elsewhere. */
static bool is_path(struct str path)
{
    for (size_t i = 0; i < path.len; i++) {
        char byte = path.ptr[i];
        bool good = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                    (byte >= 'A' && byte <= 'Z') || (byte && strchr("/_-.", byte));
        if (!good)
            return false;
    }
    return str_starts(path, STR(FOLDER)) && !memmem(path.ptr, path.len, "..", 2) && path.len < 512;
}

static int read_file(struct fetch *fetch, const struct prices_scope *scope, const char *path,
                     struct file *file, struct found *found, struct error *err)
{
    const struct fetch_reader reader = {begin_file, feed_file, end_file, file};
    file->scope = scope;
    found_init(&file->found, 0);
    aws_reader_init(&file->reader, file->offer, file->location, scope, &file->found);
    int code = fetch_get(fetch, path, MAX_FILE_BYTES, &reader, err);
    if (!code)
        found_take(found, &file->found);
    aws_reader_deinit(&file->reader);
    found_deinit(&file->found);
    return code;
}

/* A region that the index does not name has nothing of this service to sell. */
static int read_offer(struct fetch *fetch, const struct prices_scope *scope, const char *offer,
                      struct str index_path, struct arena *arena, struct found *found, struct error *err)
{
    struct node *index;
    int code = fetch_json(fetch, index_path.ptr, MAX_INDEX_BYTES, arena, &index, err);
    if (code)
        return code;
    const struct node *regions = node_member(index, "regions");
    if (!regions || regions->kind != NODE_MAPPING)
        return error_set(err, ERR_PARSE, "%s has no regions", index_path.ptr);
    const char *slash = strrchr(index_path.ptr, '/');
    for (size_t i = 0; i < scope->locations.count && !code; i++) {
        const char *location = scope->locations.items[i];
        struct file file = {.offer = offer, .location = location};
        if (node_find(regions, location))
            code = read_file(fetch, scope,
                             arena_printf(arena, "%.*s/%s/index.csv", (int)(slash - index_path.ptr),
                                          index_path.ptr, location),
                             &file, found, err);
    }
    return code;
}

/* ".../current/index.json" has the same in CSV beside it. */
static int read_global_offer(struct fetch *fetch, const struct prices_scope *scope, const char *offer,
                             struct str json_path, struct arena *arena, struct found *found,
                             struct error *err)
{
    struct file file = {.offer = offer, .location = "*"};
    const char *slash = strrchr(json_path.ptr, '/');
    return read_file(fetch, scope,
                     arena_printf(arena, "%.*s/index.csv", (int)(slash - json_path.ptr), json_path.ptr),
                     &file, found, err);
}

/* The path that the service index names for an offer; empty where it is not named, and the prices are said
 * not to be refreshed. Machines are always sold. */
static int find_path(const struct node *offers, const char *offer, const char *which, struct str *ret_path,
                     struct error *err)
{
    *ret_path = node_text(node_member(offers, offer), which);
    if (!ret_path->len)
        return offer == aws_offers[0] ? error_set(err, ERR_PEER, "%s does not name %s", INDEX, offer) : 0;
    if (!is_path(*ret_path))
        return error_set(err, ERR_PEER, "%s names a strange place for %s: %.100s", INDEX, offer,
                         ret_path->ptr);
    return 0;
}

static int read_aws(struct fetch *fetch, const struct prices_scope *scope, struct found *found,
                    struct error *err)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct node *index;
    int code = fetch_json(fetch, INDEX, MAX_INDEX_BYTES, arena, &index, err);
    if (code)
        return code;
    const struct node *offers = node_member(index, "offers");
    if (!offers || offers->kind != NODE_MAPPING)
        return error_set(err, ERR_PARSE, "%s has no offers", INDEX);
    struct str path;
    for (size_t i = 0; aws_offers[i] && scope->locations.count && !code; i++) {
        code = find_path(offers, aws_offers[i], "currentRegionIndexUrl", &path, err);
        if (!code && path.len)
            code = read_offer(fetch, scope, aws_offers[i], path, arena, found, err);
    }
    for (size_t i = 0; aws_global_offers[i] && !code; i++) {
        code = find_path(offers, aws_global_offers[i], "currentVersionUrl", &path, err);
        if (!code && path.len)
            code = read_global_offer(fetch, scope, aws_global_offers[i], path, arena, found, err);
    }
    return code;
}

const struct prices_source aws_prices = {
    .provider = "aws",
    .title = "AWS price lists",
    .url = "https://pricing.us-east-1.amazonaws.com",
    .url_variable = "FRAISEQL_PRICES_AWS_URL",
    .read = read_aws,
};
