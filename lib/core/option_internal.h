/* Shared by the option_*.c files. */
#ifndef FRAISEQL_CORE_OPTION_INTERNAL_H
#define FRAISEQL_CORE_OPTION_INTERNAL_H

#include "lib/core/option.h"

#define OPTION_TEXT_MAX 256

/* The row "*", which takes all other keys. */
static inline bool option_is_rest(const struct option *option)
{
    return option->name[0] == '*' && option->name[1] == '\0';
}

/* What a value of the option must be: "a duration such as 250ms or 1h30m". */
const char *option_wanted(const struct option *option, char text[OPTION_TEXT_MAX]);
/* "from 10ms to 1h", "at least 1", "exactly 1", or "" without bounds. */
const char *option_bounds(const struct option *option, char text[OPTION_TEXT_MAX]);
bool option_has_bounds(const struct option *option);
bool option_in_bounds(const struct option *option, uint64_t magnitude, bool negative);
/* A number of the option's type as it is written in the file. */
const char *option_format_number(const struct option *option, uint64_t magnitude, bool negative,
                                 char text[OPTION_TEXT_MAX]);

/* Parses a scalar type from its node into the member; adds messages to diag. */
void option_parse_scalar(const struct option *option, const struct node *node, struct arena *arena,
                         void *member, struct diag *diag);
void option_parse_string_list(const struct option *option, const struct node *node, struct arena *arena,
                              struct string_list *ret_list, struct diag *diag);
void option_parse_int_list(const struct option *option, const struct node *node, struct arena *arena,
                           struct int_list *ret_list, struct diag *diag);
void option_refuse_kind(const struct option *option, const struct node *node, struct diag *diag);

/* As option_dump(), with secrets: for comparing, never for showing. Wipe the buffer. */
void option_reveal(const struct option_section *section, const void *config, struct buf *out);
void option_reveal_member(const struct option *option, const void *member, struct buf *out);

/* All sections below `root`, itself first, depth first, each once. malloc'd. */
const struct option_section **option_list_sections(const struct option_section *root, size_t *ret_count);

#endif
