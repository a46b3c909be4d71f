#include "examples/service/answer.h"

#include "examples/service/graphql.h"
#include "lib/core/json.h"

#include <string.h>

struct exchange {
    struct store *store;
    struct arena *arena;
    struct json_writer json;
    struct answer *answer;
    /* Of the error, when there is one. */
    struct error err;
    const char *code;
    const struct graphql_field *at; /* NULL: the document */
};

/* Arguments of fields and what they take. */
struct argument_shape {
    const char *name;
    bool integer, text; /* what it may be; ID is both */
    bool required;
};

#define MAX_SHAPES 2

struct root_field {
    const char *name, *span;
    bool mutation;
    struct argument_shape arguments[MAX_SHAPES];
    int (*resolve)(struct exchange *exchange, const struct graphql_field *field);
};

static int refuse(struct exchange *exchange, const struct graphql_field *field, int code)
{
    exchange->code = "BAD_REQUEST";
    exchange->at = field;
    exchange->answer->status = 400;
    return code;
}

static int fail_store(struct exchange *exchange, const struct graphql_field *field, bool unknown, int code)
{
    exchange->at = field;
    exchange->code = unknown ? "OUTCOME_UNKNOWN" : code == ERR_PEER ? "REFUSED" : "DATABASE_UNAVAILABLE";
    exchange->answer->status = !unknown && code == ERR_PEER ? 200 : 503;
    return code;
}

static const char *text_argument(struct exchange *exchange, const struct graphql_field *field,
                                 const char *name)
{
    const struct graphql_value *value = graphql_argument(field, name);
    if (!value || value->kind == GRAPHQL_NULL)
        return NULL;
    return value->kind == GRAPHQL_INT ? arena_printf(exchange->arena, "%lld", (long long)value->integer)
                                      : arena_strdup(exchange->arena, value->string);
}

static const char *member(const struct order *order, struct str name)
{
    return str_equal(name, STR("id"))           ? order->id
           : str_equal(name, STR("what"))       ? order->what
           : str_equal(name, STR("region"))     ? order->region
           : str_equal(name, STR("createdAt"))  ? order->created_at
           : str_equal(name, STR("__typename")) ? "Order"
                                                : NULL;
}

static int check_order_fields(struct exchange *exchange, const struct graphql_field *field)
{
    static const struct order any = {"", "", "", ""};
    if (!field->fields)
        return refuse(exchange, field,
                      error_set(&exchange->err, ERR_PARSE, "%.*s wants a selection of fields",
                                (int)(field->name.len & 0x3F), field->name.ptr));
    for (const struct graphql_field *f = field->fields; f; f = f->next) {
        if (!member(&any, f->name) || f->fields || f->argument_count > 0)
            return refuse(exchange, f,
                          error_set(&exchange->err, ERR_PARSE,
                                    "%.*s: Order has id, what, region and createdAt, without arguments",
                                    (int)(f->name.len & 0x3F), f->name.ptr));
    }
    return 0;
}

static void write_key(struct exchange *exchange, const struct graphql_field *field)
{
    json_key(&exchange->json, arena_strdup(exchange->arena, field->key));
}

static void write_order(struct exchange *exchange, const struct graphql_field *field,
                        const struct order *order)
{
    json_object_begin(&exchange->json);
    for (const struct graphql_field *f = field->fields; f; f = f->next) {
        write_key(exchange, f);
        json_text(&exchange->json, member(order, f->name));
    }
    json_object_end(&exchange->json);
}

static int resolve_orders(struct exchange *exchange, const struct graphql_field *field)
{
    const struct graphql_value *limit = graphql_argument(field, "limit");
    int64_t count = limit && limit->kind == GRAPHQL_INT ? limit->integer : 20;
    struct order *orders = NULL;
    size_t found = 0;
    if (count < 0 || count > STORE_LIST_MAX)
        return refuse(exchange, field,
                      error_set(&exchange->err, ERR_PARSE, "limit: want 0 to %d", STORE_LIST_MAX));
    int code = store_list(exchange->store, exchange->arena, count, &orders, &found, &exchange->err);
    if (code)
        return fail_store(exchange, field, false, code);
    json_array_begin(&exchange->json);
    for (size_t i = 0; i < found; i++)
        write_order(exchange, field, &orders[i]);
    json_array_end(&exchange->json);
    return 0;
}

static int resolve_order(struct exchange *exchange, const struct graphql_field *field)
{
    const char *id = text_argument(exchange, field, "id");
    int64_t number = 0;
    struct order order = {0};
    bool found = false;
    /* What is no number is nobody's id. */
    int code = str_to_i64(str_from(id), &number)
                   ? store_get(exchange->store, exchange->arena, id, &order, &found, &exchange->err)
                   : 0;
    if (code)
        return fail_store(exchange, field, false, code);
    if (found)
        write_order(exchange, field, &order);
    else
        json_null(&exchange->json);
    return 0;
}

static int resolve_create(struct exchange *exchange, const struct graphql_field *field)
{
    const char *what = text_argument(exchange, field, "what"), *key = text_argument(exchange, field, "key");
    struct order order = {0};
    bool unknown = false;
    if (strlen(what) > STORE_WHAT_BYTES || (key && strlen(key) > STORE_KEY_BYTES))
        return refuse(exchange, field,
                      error_set(&exchange->err, ERR_PARSE, "want at most %d bytes of `what` and %d of `key`",
                                STORE_WHAT_BYTES, STORE_KEY_BYTES));
    int code = store_create(exchange->store, exchange->arena, what, key, &order, &unknown, &exchange->err);
    if (code)
        return fail_store(exchange, field, unknown, code);
    write_order(exchange, field, &order);
    return 0;
}

static const struct root_field root_fields[] = {
    {"orders", "query orders", false, {{.name = "limit", .integer = true}}, resolve_orders},
    {"order",
     "query order",
     false,
     {{.name = "id", .integer = true, .text = true, .required = true}},
     resolve_order},
    {"createOrder",
     "mutation createOrder",
     true,
     {{.name = "what", .text = true, .required = true}, {.name = "key", .text = true}},
     resolve_create},
};

static const struct root_field *find_root(bool mutation, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(root_fields); i++) {
        if (root_fields[i].mutation == mutation && str_equal_text(name, root_fields[i].name))
            return &root_fields[i];
    }
    return NULL;
}

static int check_given(struct exchange *exchange, const struct root_field *root,
                       const struct graphql_field *field)
{
    for (size_t i = 0; i < field->argument_count; i++) {
        size_t known = 0;
        for (size_t j = 0; j < MAX_SHAPES; j++)
            known +=
                root->arguments[j].name && str_equal_text(field->arguments[i].name, root->arguments[j].name);
        if (!known)
            return refuse(exchange, field,
                          error_set(&exchange->err, ERR_PARSE, "%s has no argument %.*s", root->name,
                                    (int)(field->arguments[i].name.len & 0x3F),
                                    field->arguments[i].name.ptr));
    }
    return 0;
}

static int check_arguments(struct exchange *exchange, const struct root_field *root,
                           const struct graphql_field *field)
{
    int code = check_given(exchange, root, field);
    for (size_t i = 0; !code && i < MAX_SHAPES && root->arguments[i].name; i++) {
        const struct argument_shape *shape = &root->arguments[i];
        const struct graphql_value *value = graphql_argument(field, shape->name);
        bool missing = !value || value->kind == GRAPHQL_NULL;
        bool fits = missing ? !shape->required
                            : (value->kind == GRAPHQL_INT && shape->integer) ||
                                  (value->kind == GRAPHQL_STRING && shape->text);
        if (!fits)
            code = refuse(exchange, field,
                          error_set(&exchange->err, ERR_PARSE, "%s: the argument %s wants %s", root->name,
                                    shape->name, shape->text ? "a text" : "an integer"));
    }
    return code;
}

static int check_operation(struct exchange *exchange, const struct graphql_operation *operation)
{
    for (const struct graphql_field *field = operation->fields; field; field = field->next) {
        const struct root_field *root = find_root(operation->mutation, field->name);
        if (str_equal(field->name, STR("__typename")))
            continue;
        if (!root)
            return refuse(
                exchange, field,
                error_set(&exchange->err, ERR_PARSE, "there is no %.*s: %s", (int)(field->name.len & 0x3F),
                          field->name.ptr,
                          operation->mutation ? "Mutation has createOrder" : "Query has orders and order"));
        int code = check_arguments(exchange, root, field);
        code = code ? code : check_order_fields(exchange, field);
        if (code)
            return code;
        exchange->answer->name = root->span;
    }
    return 0;
}

static int execute(struct exchange *exchange, const struct graphql_operation *operation)
{
    int code = check_operation(exchange, operation);
    if (code)
        return code;
    json_object_begin(&exchange->json);
    json_key(&exchange->json, "data");
    json_object_begin(&exchange->json);
    for (const struct graphql_field *field = operation->fields; field; field = field->next) {
        const struct root_field *root = find_root(operation->mutation, field->name);
        write_key(exchange, field);
        if (root)
            code = root->resolve(exchange, field);
        else
            json_text(&exchange->json, operation->mutation ? "Mutation" : "Query");
        if (code)
            return code; /* what was written is thrown away */
    }
    json_object_end(&exchange->json);
    json_object_end(&exchange->json);
    return 0;
}

static int parse_request(struct exchange *exchange, struct str body, struct graphql_operation *ret)
{
    struct node *root = NULL;
    int code = json_parse(exchange->arena, body, &root, &exchange->err);
    if (code) {
        (void)error_prefix(&exchange->err, "the body is no JSON");
        exchange->err.line = 0;
        return code;
    }
    const struct node *query = node_member(root, "query"), *variables = node_member(root, "variables");
    if (!query || query->kind != NODE_SCALAR || query->plain)
        return error_set(&exchange->err, ERR_PARSE, "want a JSON object with \"query\", a text");
    if (variables && node_is_null(variables))
        variables = NULL;
    if (variables && variables->kind != NODE_MAPPING)
        return error_set(&exchange->err, ERR_PARSE, "\"variables\": want an object");
    return graphql_parse(exchange->arena, query->scalar, variables, ret, &exchange->err);
}

static void write_errors(struct exchange *exchange)
{
    struct json_writer *json = &exchange->json;
    const struct graphql_field *at = exchange->at;
    unsigned line = at ? at->line : exchange->err.line, column = at ? at->column : exchange->err.column;
    json_object_begin(json);
    json_key(json, "data");
    json_null(json);
    json_key(json, "errors");
    json_array_begin(json);
    json_object_begin(json);
    json_kv_text(json, "message", exchange->err.message);
    if (line > 0) {
        json_key(json, "locations");
        json_array_begin(json);
        json_object_begin(json);
        json_kv_u64(json, "line", line);
        json_kv_u64(json, "column", column);
        json_object_end(json);
        json_array_end(json);
    }
    if (at) {
        json_key(json, "path");
        json_array_begin(json);
        json_str(json, at->key);
        json_array_end(json);
    }
    json_key(json, "extensions");
    json_object_begin(json);
    json_kv_text(json, "code", exchange->code);
    json_object_end(json);
    json_object_end(json);
    json_array_end(json);
    json_object_end(json);
}

void answer_graphql(struct store *store, struct arena *arena, struct str body, struct buf *out,
                    struct answer *ret)
{
    struct exchange exchange = {.store = store, .arena = arena, .answer = ret};
    struct graphql_operation operation = {0};
    *ret = (struct answer){.status = 200, .name = "graphql"};
    json_init(&exchange.json, out);
    int code = parse_request(&exchange, body, &operation);
    if (code)
        code = refuse(&exchange, NULL, code);
    else
        code = execute(&exchange, &operation);
    if (!code && !out->failed)
        return;
    if (out->failed) {
        (void)error_set(&exchange.err, ERR_LIMIT, "the answer is larger than %zu bytes", out->max);
        exchange.code = "BAD_REQUEST";
        ret->status = 400;
        out->failed = false;
    }
    ret->failed = true;
    buf_reset(out);
    json_init(&exchange.json, out);
    write_errors(&exchange);
}
