/* The same tables as a JSON Schema, for editors. It allows what the parser allows, apart from the checks of
 * hooks. */
#include "lib/core/json.h"
#include "lib/core/option_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define DURATION_PATTERN "^(0|([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d|w))+)$"
#define DECIMAL_PATTERN  "^[0-9]+(\\.[0-9]+)?$"
#define INTEGER_PATTERN  "^[+-]?[0-9]+$"
#define SIZE_PATTERN     "^[0-9]+(\\.[0-9]+)?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?$"

struct schema {
    struct json_writer json;
    const struct option_section **sections;
    size_t count;
    bool either_spelling;
};

/* A scalar's type comes from the table, so quotes around it change nothing. */
static void write_scalar(struct schema *schema, const char *type, const char *pattern)
{
    struct json_writer *json = &schema->json;
    json_key(json, "type");
    json_array_begin(json);
    json_text(json, type);
    json_text(json, "string");
    json_array_end(json);
    json_kv_text(json, "pattern", pattern);
}

/* Names of sections may repeat; their numbers do not. */
static void write_ref(struct schema *schema, const struct option_section *section)
{
    char text[64];
    size_t i = 0;
    while (i < schema->count && schema->sections[i] != section)
        i++;
    (void)snprintf(text, sizeof text, "#/$defs/section%zu", i);
    json_kv_text(&schema->json, "$ref", text);
}

static void write_number_bounds(struct schema *schema, const struct option *option)
{
    if (option->type != OPT_INT && option->type != OPT_INT_LIST)
        return;
    if (option_has_bounds(option)) {
        json_kv_i64(&schema->json, "minimum", option->min);
        if ((option->max || option->min < 0) && option->max != INT64_MAX)
            json_kv_i64(&schema->json, "maximum", option->max);
    }
}

static void write_text_type(struct schema *schema, const struct option *option)
{
    struct json_writer *json = &schema->json;
    switch ((int)option->type) {
    case OPT_DURATION:
        if (option->min > 0) {
            json_kv_text(json, "type", "string");
            json_kv_text(json, "pattern", DURATION_PATTERN);
            break;
        }
        write_scalar(schema, "integer", DURATION_PATTERN); /* a bare 0 */
        json_kv_i64(json, "minimum", 0);
        json_kv_i64(json, "maximum", 0);
        break;
    case OPT_SIZE:
        write_scalar(schema, "integer", SIZE_PATTERN);
        json_kv_i64(json, "minimum", option->min > 0 ? option->min : 0); /* of bytes without a unit */
        break;
    case OPT_DECIMAL:
        write_scalar(schema, "number", DECIMAL_PATTERN);
        json_kv_i64(json, "minimum", 0);
        break;
    case OPT_URL:
        json_kv_text(json, "type", "string");
        json_kv_text(json, "pattern", "^https?://[^/?#:]");
        break;
    default:
        /* A scalar's type comes from the table, so a number or a boolean without quotes is a text too. */
        json_key(json, "type");
        json_raw(json, STR("[\"string\",\"number\",\"boolean\"]"));
        if (option->type == OPT_ADDRESS)
            json_kv_text(json, "pattern", ":[0-9]+$");
        if (option->not_empty || option->type == OPT_PATH || option->type == OPT_SECRET_FILE)
            json_kv_i64(json, "minLength", 1);
    }
}

static void write_enum(struct schema *schema, const struct option *option)
{
    json_key(&schema->json, "enum");
    json_array_begin(&schema->json);
    for (const struct option_enum *choice = option->choices; choice->name; choice++)
        json_text(&schema->json, choice->name);
    json_array_end(&schema->json);
}

static void write_nullable(struct schema *schema, const char *type)
{
    json_key(&schema->json, "type");
    json_array_begin(&schema->json);
    json_text(&schema->json, type);
    json_text(&schema->json, "null"); /* a key without a value is an empty one */
    json_array_end(&schema->json);
}

/* A list or mapping of texts, whole numbers or sections. */
static void write_container(struct schema *schema, const struct option *option)
{
    struct json_writer *json = &schema->json;
    bool list = option->type != OPT_STRING_MAP && option->type != OPT_SECTION_MAP;
    if (option->not_empty) {
        json_kv_text(json, "type", list ? "array" : "object");
        json_kv_i64(json, list ? "minItems" : "minProperties", 1);
    } else {
        write_nullable(schema, list ? "array" : "object");
    }
    json_key(json, list ? "items" : "additionalProperties");
    json_object_begin(json);
    if (option->type == OPT_SECTION_LIST || option->type == OPT_SECTION_MAP) {
        write_ref(schema, option->section);
    } else if (option->type == OPT_INT_LIST) {
        write_scalar(schema, "integer", INTEGER_PATTERN);
        write_number_bounds(schema, option);
    } else if (option->choices) {
        write_enum(schema, option);
    } else {
        json_key(json, "type");
        json_raw(json, STR("[\"string\",\"number\",\"boolean\"]"));
    }
    json_object_end(json);
}

static void write_type(struct schema *schema, const struct option *option)
{
    switch ((int)option->type) {
    case OPT_BOOL:
        write_scalar(schema, "boolean", "^(true|false)$");
        break;
    case OPT_INT:
        write_scalar(schema, "integer", INTEGER_PATTERN);
        write_number_bounds(schema, option);
        break;
    case OPT_ENUM:
        write_enum(schema, option);
        break;
    case OPT_STRING:
        if (option->choices)
            write_enum(schema, option);
        else
            write_text_type(schema, option);
        break;
    case OPT_STRING_LIST:
    case OPT_INT_LIST:
    case OPT_STRING_MAP:
    case OPT_SECTION_LIST:
    case OPT_SECTION_MAP:
        write_container(schema, option);
        break;
    case OPT_SECTION:
    case OPT_SECTION_PTR:
        write_ref(schema, option->section);
        break;
    case OPT_DYNAMIC:
        if (option->section)
            write_ref(schema, option->section);
        break;
    default:
        write_text_type(schema, option);
    }
}

static void write_default(struct schema *schema, const struct option *option)
{
    if (!option->default_text || option->type >= OPT_STRING_LIST)
        return;
    json_key(&schema->json, "default");
    /* The text of a number or a boolean is the same in JSON. */
    if (option->type == OPT_BOOL || option->type == OPT_INT || option->type == OPT_DECIMAL)
        json_raw(&schema->json, str_from(option->default_text));
    else
        json_text(&schema->json, option->default_text);
}

static void write_option(struct schema *schema, const struct option *option)
{
    json_object_begin(&schema->json);
    if (option->help)
        json_kv_text(&schema->json, "description", option->help);
    write_type(schema, option);
    write_default(schema, option);
    json_object_end(&schema->json);
}

static bool has_required(const struct option_section *section);

/* A section that is left out is read as an empty one, so what it must have makes itself required. */
static bool is_required(const struct option *option)
{
    return option->required ||
           (option->type == OPT_SECTION && !option->default_text && has_required(option->section));
}

/* True when the parser misses a key in an empty section of this kind. */
static bool has_required(const struct option_section *section)
{
    bool found = section->one_of_required;
    for (size_t i = 0; i < section->option_count && !found; i++)
        found = is_required(&section->options[i]);
    return found;
}

static void write_required_list(struct schema *schema, const struct option_section *section)
{
    bool any = false;
    for (size_t i = 0; i < section->option_count; i++)
        any = any || is_required(&section->options[i]);
    if (!any)
        return;
    json_key(&schema->json, "required");
    json_array_begin(&schema->json);
    for (size_t i = 0; i < section->option_count; i++) {
        if (is_required(&section->options[i]))
            json_text(&schema->json, section->options[i].name);
    }
    json_array_end(&schema->json);
}

/* Of a mapping: a section that is null has neither. */
static void write_required_set(struct json_writer *json, const char *first, const char *second)
{
    json_object_begin(json);
    json_kv_text(json, "type", "object");
    json_key(json, "required");
    json_array_begin(json);
    json_text(json, first);
    if (second)
        json_text(json, second);
    json_array_end(json);
    json_object_end(json);
}

/* Exactly one: oneOf. At most one: not any pair. */
static void write_one_of(struct schema *schema, const struct option_section *section)
{
    struct json_writer *json = &schema->json;
    const char *const *names = section->one_of;
    if (!names || !names[0] || (!section->one_of_required && !names[1]))
        return;
    if (section->one_of_required) {
        json_key(json, "oneOf");
        json_array_begin(json);
        for (size_t i = 0; names[i]; i++)
            write_required_set(json, names[i], NULL);
        json_array_end(json);
        return;
    }
    json_key(json, "not");
    json_object_begin(json);
    json_key(json, "anyOf");
    json_array_begin(json);
    for (size_t i = 0; names[i]; i++) {
        for (size_t j = i + 1; names[j]; j++)
            write_required_set(json, names[i], names[j]);
    }
    json_array_end(json);
    json_object_end(json);
}

/* The other spelling of each key, by a pattern: editors propose only what stands in "properties". */
static void write_spellings(struct schema *schema, const struct option_section *section)
{
    struct json_writer *json = &schema->json;
    json_key(json, "patternProperties");
    json_object_begin(json);
    for (size_t i = 0; i < section->option_count; i++) {
        char pattern[96];
        const char *name = section->options[i].name;
        if (!strpbrk(name, "-_"))
            continue;
        (void)snprintf(pattern, sizeof pattern, "^%s$", name);
        for (char *at = pattern; *at; at++)
            *at = *at == '-' ? '_' : *at == '_' ? '-' : *at;
        json_key(json, pattern);
        write_option(schema, &section->options[i]);
    }
    json_object_end(json);
}

static void write_section(struct schema *schema, const struct option_section *section)
{
    struct json_writer *json = &schema->json;
    const struct option *rest = NULL;
    json_object_begin(json);
    json_kv_text(json, "title", section->name);
    if (section->help)
        json_kv_text(json, "description", section->help);
    if (has_required(section))
        json_kv_text(json, "type", "object");
    else
        write_nullable(schema, "object");
    json_key(json, "properties");
    json_object_begin(json);
    for (size_t i = 0; i < section->option_count; i++) {
        if (option_is_rest(&section->options[i])) {
            rest = &section->options[i];
            continue;
        }
        json_key(json, section->options[i].name);
        write_option(schema, &section->options[i]);
    }
    json_object_end(json);
    if (schema->either_spelling)
        write_spellings(schema, section);
    json_key(json, "additionalProperties");
    if (rest)
        json_raw(json, STR("{\"type\":[\"string\",\"number\",\"boolean\"]}"));
    else
        json_bool(json, false);
    write_required_list(schema, section);
    write_one_of(schema, section);
    json_object_end(json);
}

void option_write_schema(const struct option_section *section, const char *title, bool either_spelling,
                         struct buf *out)
{
    struct schema schema = {.either_spelling = either_spelling};
    schema.sections = option_list_sections(section, &schema.count);
    json_init(&schema.json, out);
    json_object_begin(&schema.json);
    json_kv_text(&schema.json, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_kv_text(&schema.json, "title", title);
    write_ref(&schema, section);
    json_key(&schema.json, "$defs");
    json_object_begin(&schema.json);
    for (size_t i = 0; i < schema.count; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "section%zu", i);
        json_key(&schema.json, name);
        write_section(&schema, schema.sections[i]);
    }
    json_object_end(&schema.json);
    json_object_end(&schema.json);
    buf_append_byte(out, '\n');
    free(schema.sections);
}
