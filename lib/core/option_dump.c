/* The effective configuration as YAML. What is dumped parses back to the same values, apart from what is
 * masked. Left out are absent texts and pointers, and zeros that stand for "not given" (no default, outside
 * the bounds). */
#include "lib/core/option_internal.h"
#include "lib/core/secret.h"

#include <stdlib.h>

/* Where lines go. The first key of a list's element follows its dash. */
struct dump {
    struct buf *out;
    unsigned indent;
    bool dash;
    bool reveal; /* secrets as they are: for comparing only */
};

static void write_members(struct dump *dump, const struct option_section *section, const void *config);

static void begin_line(struct dump *dump)
{
    buf_printf(dump->out, "%*s", (int)(dump->dash ? dump->indent - 2 : dump->indent), "");
    if (dump->dash)
        buf_append_text(dump->out, "- ");
    dump->dash = false;
}

static void write_key(struct dump *dump, const char *key)
{
    begin_line(dump);
    yaml_write_scalar(dump->out, str_from(key));
    buf_append_byte(dump->out, ':');
}

static bool holds(const char *text, const char *part)
{
    return strcasestr(text, part) != NULL;
}

/* Header and parameter names whose values are credentials whatever the table says. */
static bool is_credential_name(const char *name)
{
    static const char *const parts[] = {"authorization", "cookie",  "token", "secret",
                                        "password",      "api-key", "apikey"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (holds(name, parts[i]))
            return true;
    }
    return false;
}

static void write_text(struct dump *dump, const struct option *option, const char *text)
{
    if (dump->reveal) {
        yaml_write_scalar(dump->out, str_from(text));
        return;
    }
    if (option->secret) {
        yaml_write_scalar(dump->out, STR(SECRET_MASK));
        return;
    }
    bool whole = option->type == OPT_CONNINFO || option->type == OPT_URL;
    if (!whole && !holds(text, "://") && !holds(text, "password")) {
        yaml_write_scalar(dump->out, str_from(text));
        return;
    }
    size_t size = strlen(text) * 3 + 1; /* a mask has three bytes in place of one or more */
    char *masked = xmalloc(size);
    if (whole)
        secret_mask_conninfo(text, masked, size);
    else
        secret_mask_text(text, masked, size);
    yaml_write_scalar(dump->out, str_from(masked));
    free(masked);
}

static void write_text_member(struct dump *dump, const struct option *option, const char *text)
{
    if (!text)
        return;
    write_key(dump, option->name);
    buf_append_byte(dump->out, ' ');
    write_text(dump, option, text);
    buf_append_byte(dump->out, '\n');
}

static void write_number(struct dump *dump, const struct option *option, uint64_t magnitude, bool negative)
{
    char text[OPTION_TEXT_MAX];
    if (!magnitude && !option->default_text && !option_in_bounds(option, 0, false))
        return;
    write_key(dump, option->name);
    buf_printf(dump->out, " %s\n", option_format_number(option, magnitude, negative, text));
}

static void write_enum(struct dump *dump, const struct option *option, int value)
{
    for (const struct option_enum *choice = option->choices; choice->name; choice++) {
        if (choice->value == value) {
            write_key(dump, option->name);
            buf_append_byte(dump->out, ' ');
            yaml_write_scalar(dump->out, str_from(choice->name));
            buf_append_byte(dump->out, '\n');
            return;
        }
    }
}

/* An option that must not be empty and is was not given. */
static bool is_absent(const struct option *option, size_t count)
{
    return !count && option->not_empty;
}

static void write_string_list(struct dump *dump, const struct option *option, const struct string_list *list)
{
    if (is_absent(option, list->count))
        return;
    write_key(dump, option->name);
    buf_append_text(dump->out, list->count ? "\n" : " []\n");
    for (size_t i = 0; i < list->count; i++) {
        buf_printf(dump->out, "%*s- ", (int)dump->indent + 2, "");
        write_text(dump, option, list->items[i]);
        buf_append_byte(dump->out, '\n');
    }
}

static void write_int_list(struct dump *dump, const struct option *option, const struct int_list *list)
{
    if (is_absent(option, list->count))
        return;
    write_key(dump, option->name);
    buf_append_text(dump->out, " [");
    for (size_t i = 0; i < list->count; i++)
        buf_printf(dump->out, "%s%lld", i ? ", " : "", (long long)list->items[i]);
    buf_append_text(dump->out, "]\n");
}

static void write_pairs(struct dump *dump, const struct option *option, const struct string_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        write_key(dump, map->items[i].key);
        buf_append_byte(dump->out, ' ');
        if (!dump->reveal && is_credential_name(map->items[i].key))
            yaml_write_scalar(dump->out, STR(SECRET_MASK));
        else
            write_text(dump, option, map->items[i].value);
        buf_append_byte(dump->out, '\n');
    }
}

static void write_string_map(struct dump *dump, const struct option *option, const struct string_map *map)
{
    if (option_is_rest(option)) {
        write_pairs(dump, option, map);
        return;
    }
    if (is_absent(option, map->count))
        return;
    write_key(dump, option->name);
    buf_append_text(dump->out, map->count ? "\n" : " {}\n");
    struct dump nested = {.out = dump->out, .indent = dump->indent + 2, .reveal = dump->reveal};
    write_pairs(&nested, option, map);
}

/* A mapping below a key that is written; "{}" when nothing of it is shown. */
static void write_nested(struct dump *dump, const struct option_section *section, const void *config)
{
    struct dump nested = {.out = dump->out, .indent = dump->indent + 2, .reveal = dump->reveal};
    buf_append_byte(dump->out, '\n');
    size_t mark = dump->out->len;
    write_members(&nested, section, config);
    if (dump->out->len == mark && mark) {
        dump->out->len--;
        buf_append_text(dump->out, " {}\n");
    }
}

static void write_section_list(struct dump *dump, const struct option *option,
                               const struct section_list *list)
{
    if (is_absent(option, list->count))
        return;
    write_key(dump, option->name);
    buf_append_text(dump->out, list->count ? "\n" : " []\n");
    for (size_t i = 0; i < list->count; i++) {
        struct dump nested = {
            .out = dump->out, .indent = dump->indent + 4, .dash = true, .reveal = dump->reveal};
        write_members(&nested, option->section, (const char *)list->items + i * option->section->size);
        if (nested.dash) {
            begin_line(&nested);
            buf_append_text(dump->out, "{}\n");
        }
    }
}

static void write_section_map(struct dump *dump, const struct option *option, const struct section_list *list)
{
    if (is_absent(option, list->count))
        return;
    write_key(dump, option->name);
    buf_append_text(dump->out, list->count ? "\n" : " {}\n");
    for (size_t i = 0; i < list->count; i++) {
        const void *element = (const char *)list->items + i * option->section->size;
        struct dump nested = {.out = dump->out, .indent = dump->indent + 2, .reveal = dump->reveal};
        write_key(&nested, *(const char *const *)element);
        write_nested(&nested, option->section, element);
    }
}

static void write_dynamic(struct dump *dump, const struct option *option, const void *member)
{
    if (!option->dump)
        return;
    struct dump before = *dump;
    size_t start = dump->out->len;
    write_key(dump, option->name);
    buf_append_byte(dump->out, '\n');
    size_t mark = dump->out->len;
    option->dump(option, member, dump->out, dump->indent + 2);
    if (dump->out->len == mark) { /* nothing to show: the key goes too */
        dump->out->len = start;
        *dump = before;
    }
}

static void write_scalar_member(struct dump *dump, const struct option *option, const void *member)
{
    int64_t number;
    switch ((int)option->type) {
    case OPT_BOOL:
        write_key(dump, option->name);
        buf_append_text(dump->out, *(const bool *)member ? " true\n" : " false\n");
        break;
    case OPT_INT:
    case OPT_DURATION:
        number = *(const int64_t *)member;
        write_number(dump, option, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, number < 0);
        break;
    case OPT_DECIMAL:
    case OPT_SIZE:
        write_number(dump, option, *(const uint64_t *)member, false);
        break;
    case OPT_ENUM:
        write_enum(dump, option, *(const int *)member);
        break;
    case OPT_ADDRESS:
        write_text_member(dump, option, ((const struct address_option *)member)->text);
        break;
    default:
        write_text_member(dump, option, *(const char *const *)member);
    }
}

static void write_member(struct dump *dump, const struct option *option, const void *member)
{
    switch ((int)option->type) {
    case OPT_STRING_LIST:
        write_string_list(dump, option, member);
        break;
    case OPT_INT_LIST:
        write_int_list(dump, option, member);
        break;
    case OPT_STRING_MAP:
        write_string_map(dump, option, member);
        break;
    case OPT_SECTION:
        write_key(dump, option->name);
        write_nested(dump, option->section, member);
        break;
    case OPT_SECTION_PTR:
        if (*(const void *const *)member) {
            write_key(dump, option->name);
            write_nested(dump, option->section, *(const void *const *)member);
        }
        break;
    case OPT_SECTION_LIST:
        write_section_list(dump, option, member);
        break;
    case OPT_SECTION_MAP:
        write_section_map(dump, option, member);
        break;
    case OPT_DYNAMIC:
        write_dynamic(dump, option, member);
        break;
    default:
        write_scalar_member(dump, option, member);
    }
}

static void write_members(struct dump *dump, const struct option_section *section, const void *config)
{
    for (size_t i = 0; i < section->option_count; i++)
        write_member(dump, &section->options[i], (const char *)config + section->options[i].offset);
}

void option_dump(const struct option_section *section, const void *config, struct buf *out, unsigned indent)
{
    struct dump dump = {.out = out, .indent = indent};
    write_members(&dump, section, config);
}

void option_reveal(const struct option_section *section, const void *config, struct buf *out)
{
    struct dump dump = {.out = out, .reveal = true};
    write_members(&dump, section, config);
}

void option_reveal_member(const struct option *option, const void *member, struct buf *out)
{
    struct dump dump = {.out = out, .reveal = true};
    write_member(&dump, option, member);
}
