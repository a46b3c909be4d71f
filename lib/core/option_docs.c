/* The reference in Markdown. */
#include "lib/core/option_internal.h"

#include <stdlib.h>

/* Text of a table's cell: a bar would end it, an angle bracket would be HTML. */
static void write_cell(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            buf_append_text(out, "\\|");
        else if (*text == '<')
            buf_append_text(out, "&lt;");
        else
            buf_append_byte(out, *text == '\n' ? ' ' : *text);
    }
}

/* Anchor of a heading as GitHub and most renderers make it: small letters, digits, - and _; blanks become -.
 */
static void write_anchor(struct buf *out, const char *heading)
{
    for (; *heading; heading++) {
        char c = *heading;
        if (c >= 'A' && c <= 'Z')
            buf_append_byte(out, (char)(c + 32));
        else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
            buf_append_byte(out, c);
        else if (c == ' ')
            buf_append_byte(out, '-');
    }
}

static const char *const type_names[] = {
    [OPT_STRING] = "text",
    [OPT_BOOL] = "true or false",
    [OPT_INT] = "whole number",
    [OPT_DECIMAL] = "decimal number",
    [OPT_DURATION] = "duration",
    [OPT_SIZE] = "size",
    [OPT_ENUM] = "",
    [OPT_ADDRESS] = "host:port",
    [OPT_URL] = "URL",
    [OPT_PATH] = "path",
    [OPT_SECRET_FILE] = "path of a secret",
    [OPT_CONNINFO] = "connection string",
    [OPT_STRING_LIST] = "list of texts",
    [OPT_INT_LIST] = "list of whole numbers",
    [OPT_STRING_MAP] = "mapping of names to texts",
    [OPT_SECTION] = "",
    [OPT_SECTION_PTR] = "",
    [OPT_SECTION_LIST] = "list of ",
    [OPT_SECTION_MAP] = "mapping of names to ",
    [OPT_DYNAMIC] = "see the text",
};

static void write_type(struct buf *out, const struct option *option)
{
    char text[OPTION_TEXT_MAX];
    if (option->section) {
        if (option->type != OPT_DYNAMIC)
            buf_append_text(out, type_names[option->type]);
        buf_append_byte(out, '[');
        write_cell(out, option->section->name);
        buf_append_text(out, "](#");
        write_anchor(out, option->section->name);
        buf_append_byte(out, ')');
    } else if (option->choices) {
        if (option->type == OPT_STRING_LIST)
            buf_append_text(out, "list of ");
        for (const struct option_enum *choice = option->choices; choice->name; choice++)
            buf_printf(out, "%s`%s`", choice == option->choices ? "" : ", ", choice->name);
    } else {
        buf_append_text(out, type_names[option->type]);
    }
    if (option_has_bounds(option))
        buf_printf(out, ", %s", option_bounds(option, text));
    if (option->not_empty)
        buf_append_text(out, ", not empty");
}

static void write_row(struct buf *out, const struct option *option)
{
    buf_append_text(out, "| ");
    if (option_is_rest(option))
        buf_append_text(out, "any other name");
    else
        buf_printf(out, "`%s`", option->name);
    buf_append_text(out, " | ");
    write_type(out, option);
    buf_append_text(out, " | ");
    if (option->required) {
        buf_append_text(out, "required");
    } else if (option->default_text) {
        buf_append_byte(out, '`');
        write_cell(out, option->default_text);
        buf_append_byte(out, '`');
    }
    buf_append_text(out, " | ");
    write_cell(out, option->help ? option->help : "");
    if (option->not_reloadable)
        buf_append_text(out, " A change needs a restart.");
    buf_append_text(out, " |\n");
}

static void write_one_of(struct buf *out, const struct option_section *section)
{
    if (!section->one_of)
        return;
    buf_append_text(out, section->one_of_required ? "Exactly one of " : "At most one of ");
    for (size_t i = 0; section->one_of[i]; i++)
        buf_printf(out, "%s`%s`", i ? ", " : "", section->one_of[i]);
    buf_append_text(out, section->one_of_required ? " must be given.\n\n" : " may be given.\n\n");
}

void option_write_markdown(const struct option_section *section, struct buf *out)
{
    size_t count;
    const struct option_section **sections = option_list_sections(section, &count);
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%s## %s\n\n", i ? "\n" : "", sections[i]->name);
        if (sections[i]->help)
            buf_printf(out, "%s\n\n", sections[i]->help);
        write_one_of(out, sections[i]);
        buf_append_text(out, "| Key | Value | Default | Meaning |\n| --- | --- | --- | --- |\n");
        for (size_t j = 0; j < sections[i]->option_count; j++)
            write_row(out, &sections[i]->options[j]);
    }
    free(sections);
}
