#include "examples/service/graphql.h"

#include <string.h>

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_INT, TOKEN_STRING, TOKEN_PUNCTUATOR };

struct token {
    enum token_kind kind;
    struct str text; /* of a string: unescaped */
    unsigned line, column;
};

struct variable {
    struct str name;
    struct graphql_value value;
};

struct parser {
    struct arena *arena;
    const char *at, *end, *line_start;
    unsigned line;
    struct token token; /* the next one */
    const struct node *given;
    struct variable variables[GRAPHQL_MAX_VARIABLES];
    size_t variable_count, field_count;
    struct error *err;
};

#define FAIL(parser, ...) fail((parser), error_set((parser)->err, ERR_PARSE, __VA_ARGS__))

static int fail(struct parser *parser, int code)
{
    if (parser->err)
        error_set_position(parser->err, "", parser->token.line, parser->token.column);
    return code;
}

/* --- tokens --- */

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_ignored(struct parser *parser)
{
    while (parser->at < parser->end) {
        char c = *parser->at;
        if (c == '#') {
            while (parser->at < parser->end && *parser->at != '\n')
                parser->at++;
            continue;
        }
        if (c != ' ' && c != '\t' && c != ',' && c != '\r' && c != '\n')
            return;
        parser->at++;
        if (c == '\n') {
            parser->line++;
            parser->line_start = parser->at;
        }
    }
}

static bool read_hex4(struct parser *parser, uint32_t *ret)
{
    uint32_t value = 0;
    if (parser->end - parser->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = *parser->at++;
        uint32_t digit = is_digit(c)            ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit > 15)
            return false;
        value = value * 16 + digit;
    }
    *ret = value;
    return true;
}

static void put_utf8(char **out, uint32_t rune)
{
    char *p = *out;
    if (rune < 0x80) {
        *p++ = (char)rune;
    } else if (rune < 0x800) {
        *p++ = (char)(0xC0 | (rune >> 6));
        *p++ = (char)(0x80 | (rune & 0x3F));
    } else {
        *p++ = (char)(0xE0 | (rune >> 12));
        *p++ = (char)(0x80 | ((rune >> 6) & 0x3F));
        *p++ = (char)(0x80 | (rune & 0x3F));
    }
    *out = p;
}

/* After the backslash. \u takes one code point of the basic plane that is no surrogate and not zero: what
 * lies beyond is written as it is. */
static int read_escape(struct parser *parser, char **out)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char c = parser->at < parser->end ? *parser->at++ : '\0';
    const char *found = c ? strchr(letters, c) : NULL;
    uint32_t rune = 0;
    if (found) {
        *(*out)++ = values[found - letters];
        return 0;
    }
    if (c != 'u' || !read_hex4(parser, &rune) || rune == 0 || (rune >= 0xD800 && rune <= 0xDFFF))
        return FAIL(parser, "an escape in a string is not one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
    put_utf8(out, rune);
    return 0;
}

static int read_string(struct parser *parser)
{
    if (parser->end - parser->at >= 3 && memcmp(parser->at, "\"\"\"", 3) == 0)
        return FAIL(parser, "block strings are not part of this subset");
    parser->at++;
    char *text = arena_alloc(parser->arena, (size_t)(parser->end - parser->at) + 4), *out = text;
    if (!text)
        return FAIL(parser, "the query takes too much memory");
    for (;;) {
        if (parser->at >= parser->end || *parser->at == '\n' || *parser->at == '\r')
            return FAIL(parser, "a string does not end on its line");
        char c = *parser->at++;
        if (c == '"')
            break;
        int code = 0;
        if (c == '\\')
            code = read_escape(parser, &out);
        else
            *out++ = c;
        if (code)
            return code;
    }
    parser->token.kind = TOKEN_STRING;
    parser->token.text = (struct str){text, (size_t)(out - text)};
    return 0;
}

static int read_number(struct parser *parser)
{
    const char *start = parser->at++;
    while (parser->at < parser->end && is_digit(*parser->at))
        parser->at++;
    if (parser->at < parser->end && (*parser->at == '.' || *parser->at == 'e' || *parser->at == 'E'))
        return FAIL(parser, "floats are not part of this subset");
    parser->token.kind = TOKEN_INT;
    parser->token.text = (struct str){start, (size_t)(parser->at - start)};
    return 0;
}

static int next(struct parser *parser)
{
    skip_ignored(parser);
    parser->token = (struct token){
        .kind = TOKEN_END, .line = parser->line, .column = (unsigned)(parser->at - parser->line_start) + 1};
    if (parser->at >= parser->end)
        return 0;
    const char *start = parser->at;
    char c = *start;
    if (c == '"')
        return read_string(parser);
    if (is_digit(c) || c == '-')
        return read_number(parser);
    if (is_name_start(c)) {
        while (parser->at < parser->end && (is_name_start(*parser->at) || is_digit(*parser->at)))
            parser->at++;
        parser->token.kind = TOKEN_NAME;
    } else if (strchr("{}()[]:=!$@.|&", c) && c != '\0') {
        parser->at++;
        parser->token.kind = TOKEN_PUNCTUATOR;
    } else {
        return FAIL(parser, "a character that has no meaning here");
    }
    parser->token.text = (struct str){start, (size_t)(parser->at - start)};
    return 0;
}

static bool sees(const struct parser *parser, char punctuator)
{
    return parser->token.kind == TOKEN_PUNCTUATOR && parser->token.text.ptr[0] == punctuator;
}

static int expect(struct parser *parser, char punctuator)
{
    if (!sees(parser, punctuator))
        return FAIL(parser, "want \"%c\", found %s%.*s", punctuator,
                    parser->token.kind == TOKEN_END ? "the end" : "", (int)(parser->token.text.len & 0x3F),
                    parser->token.text.ptr ? parser->token.text.ptr : "");
    return next(parser);
}

static int take_name(struct parser *parser, struct str *ret)
{
    if (sees(parser, '.'))
        return FAIL(parser, "fragments are not part of this subset");
    if (parser->token.kind != TOKEN_NAME)
        return FAIL(parser, "want a name");
    *ret = parser->token.text;
    return next(parser);
}

/* --- values --- */

static int value_of_node(struct parser *parser, const struct node *node, struct graphql_value *ret)
{
    *ret = (struct graphql_value){.kind = GRAPHQL_STRING, .string = node->scalar};
    if (node->kind != NODE_SCALAR)
        return FAIL(parser, "lists and objects are not part of this subset as values of variables");
    if (!node->plain)
        return 0;
    if (str_equal(node->scalar, STR("null")))
        ret->kind = GRAPHQL_NULL;
    else if (str_equal(node->scalar, STR("true")) || str_equal(node->scalar, STR("false"))) {
        ret->kind = GRAPHQL_BOOL;
        ret->boolean = node->scalar.ptr[0] == 't';
    } else if (str_to_i64(node->scalar, &ret->integer))
        ret->kind = GRAPHQL_INT;
    else
        return FAIL(parser, "a variable has a number that is not an integer of 64 bits");
    return 0;
}

static int use_variable(struct parser *parser, struct graphql_value *ret)
{
    struct str name = {0};
    int code = next(parser);
    code = code ? code : take_name(parser, &name);
    if (code)
        return code;
    for (size_t i = 0; i < parser->variable_count; i++) {
        if (str_equal(parser->variables[i].name, name)) {
            *ret = parser->variables[i].value;
            return 0;
        }
    }
    return FAIL(parser, "the variable $%.*s is not declared", (int)(name.len & 0x3F), name.ptr);
}

static int take_value(struct parser *parser, bool constant, struct graphql_value *ret)
{
    const struct token token = parser->token;
    *ret = (struct graphql_value){.kind = GRAPHQL_NULL};
    if (sees(parser, '$') && !constant)
        return use_variable(parser, ret);
    if (token.kind == TOKEN_STRING) {
        ret->kind = GRAPHQL_STRING;
        ret->string = token.text;
    } else if (token.kind == TOKEN_INT) {
        ret->kind = GRAPHQL_INT;
        if (!str_to_i64(token.text, &ret->integer))
            return FAIL(parser, "an integer does not fit into 64 bits");
    } else if (token.kind == TOKEN_NAME &&
               (str_equal(token.text, STR("true")) || str_equal(token.text, STR("false")))) {
        ret->kind = GRAPHQL_BOOL;
        ret->boolean = token.text.ptr[0] == 't';
    } else if (token.kind != TOKEN_NAME || !str_equal(token.text, STR("null"))) {
        return FAIL(parser,
                    "want null, true, false, an integer, a string%s: enums, lists and objects are not "
                    "part of this subset",
                    constant ? "" : " or a variable");
    }
    return next(parser);
}

/* --- variables: ($what: String!, $limit: Int = 20) --- */

static bool fits_type(const struct graphql_value *value, struct str type)
{
    switch (value->kind) {
    case GRAPHQL_NULL:
        return true;
    case GRAPHQL_BOOL:
        return str_equal(type, STR("Boolean"));
    case GRAPHQL_INT:
        return str_equal(type, STR("Int")) || str_equal(type, STR("ID"));
    case GRAPHQL_STRING:
        return str_equal(type, STR("String")) || str_equal(type, STR("ID"));
    }
    return false;
}

static int declare_variable(struct parser *parser)
{
    struct str type = {0};
    bool required = false;
    if (parser->variable_count == GRAPHQL_MAX_VARIABLES)
        return FAIL(parser, "more than %d variables", GRAPHQL_MAX_VARIABLES);
    struct variable *variable = &parser->variables[parser->variable_count];
    *variable = (struct variable){0};
    int code = expect(parser, '$');
    code = code ? code : take_name(parser, &variable->name);
    code = code ? code : expect(parser, ':');
    if (!code && sees(parser, '['))
        return FAIL(parser, "lists are not part of this subset");
    code = code ? code : take_name(parser, &type);
    if (!code && sees(parser, '!')) {
        required = true;
        code = next(parser);
    }
    bool given_default = !code && sees(parser, '=');
    if (given_default) {
        code = next(parser);
        code = code ? code : take_value(parser, true, &variable->value);
    }
    if (code)
        return code;
    const char *name = arena_strdup(parser->arena, variable->name);
    const struct node *node = parser->given && name ? node_member(parser->given, name) : NULL;
    code = node ? value_of_node(parser, node, &variable->value) : 0;
    if (code)
        return code;
    if (required && variable->value.kind == GRAPHQL_NULL)
        return FAIL(parser, "the variable $%.*s wants a value", (int)(variable->name.len & 0x3F),
                    variable->name.ptr);
    if (!fits_type(&variable->value, type))
        return FAIL(parser, "the value of $%.*s is no %.*s", (int)(variable->name.len & 0x3F),
                    variable->name.ptr, (int)(type.len & 0x3F), type.ptr);
    parser->variable_count++;
    return 0;
}

static int take_declarations(struct parser *parser)
{
    int code = sees(parser, '(') ? next(parser) : 1;
    if (code)
        return code > 0 ? 0 : code;
    do
        code = declare_variable(parser);
    while (!code && !sees(parser, ')'));
    return code ? code : next(parser);
}

/* --- fields --- */

static int take_arguments(struct parser *parser, struct graphql_field *field)
{
    int code = next(parser);
    while (!code && !sees(parser, ')')) {
        if (field->argument_count == GRAPHQL_MAX_ARGUMENTS)
            return FAIL(parser, "more than %d arguments", GRAPHQL_MAX_ARGUMENTS);
        struct graphql_argument *argument = &field->arguments[field->argument_count];
        code = take_name(parser, &argument->name);
        code = code ? code : expect(parser, ':');
        code = code ? code : take_value(parser, false, &argument->value);
        field->argument_count++;
    }
    return code ? code : next(parser);
}

static int take_selection(struct parser *parser, unsigned depth, struct graphql_field **ret);

static int take_field(struct parser *parser, unsigned depth, struct graphql_field **ret)
{
    struct graphql_field *field = arena_zalloc(parser->arena, sizeof *field);
    if (!field || ++parser->field_count > GRAPHQL_MAX_FIELDS)
        return FAIL(parser, "more than %d fields", GRAPHQL_MAX_FIELDS);
    field->line = parser->token.line;
    field->column = parser->token.column;
    int code = take_name(parser, &field->name);
    field->key = field->name;
    if (!code && sees(parser, ':')) {
        code = next(parser);
        code = code ? code : take_name(parser, &field->name);
    }
    if (!code && sees(parser, '('))
        code = take_arguments(parser, field);
    if (!code && sees(parser, '@'))
        return FAIL(parser, "directives are not part of this subset");
    if (!code && sees(parser, '{'))
        code = take_selection(parser, depth + 1, &field->fields);
    if (!code)
        *ret = field;
    return code;
}

static int take_selection(struct parser *parser, unsigned depth, struct graphql_field **ret)
{
    if (depth > GRAPHQL_MAX_DEPTH)
        return FAIL(parser, "selections deeper than %d", GRAPHQL_MAX_DEPTH);
    int code = expect(parser, '{');
    if (!code && sees(parser, '}'))
        return FAIL(parser, "a selection wants at least one field");
    while (!code && !sees(parser, '}')) {
        code = take_field(parser, depth, ret);
        if (!code)
            ret = &(*ret)->next;
    }
    return code ? code : next(parser);
}

static int take_operation(struct parser *parser, struct graphql_operation *operation)
{
    int code = 0;
    if (parser->token.kind == TOKEN_NAME) {
        operation->mutation = str_equal(parser->token.text, STR("mutation"));
        if (!operation->mutation && !str_equal(parser->token.text, STR("query")))
            return FAIL(parser, "want query, mutation or {: subscriptions and fragments are not part of this "
                                "subset");
        code = next(parser);
        if (!code && parser->token.kind == TOKEN_NAME)
            code = take_name(parser, &operation->name);
        code = code ? code : take_declarations(parser);
        if (!code && sees(parser, '@'))
            return FAIL(parser, "directives are not part of this subset");
    }
    code = code ? code : take_selection(parser, 1, &operation->fields);
    if (!code && parser->token.kind != TOKEN_END)
        return FAIL(parser, "several operations in a document are not part of this subset");
    return code;
}

int graphql_parse(struct arena *arena, struct str text, const struct node *variables,
                  struct graphql_operation *ret, struct error *err)
{
    struct parser parser = {.arena = arena,
                            .at = text.ptr,
                            .end = text.ptr + text.len,
                            .line_start = text.ptr,
                            .line = 1,
                            .token = {.line = 1, .column = 1},
                            .given = variables,
                            .err = err};
    struct graphql_operation operation = {0};
    if (text.len == 0)
        return FAIL(&parser, "the query is empty");
    int code = next(&parser);
    code = code ? code : take_operation(&parser, &operation);
    if (!code)
        *ret = operation;
    return code;
}

const struct graphql_value *graphql_argument(const struct graphql_field *field, const char *name)
{
    for (size_t i = 0; i < field->argument_count; i++) {
        if (str_equal_text(field->arguments[i].name, name))
            return &field->arguments[i].value;
    }
    return NULL;
}
