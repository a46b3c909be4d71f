/* Option tables: one row an option gives the strict parser, the defaults, docs/configuration.md, the JSON
 * Schema and the effective configuration of /config.
 *
 * A section is a C struct and the table of its members. Members are filled from the YAML mapping; what is
 * left out takes `default_text`, parsed the same way. All errors of a file are reported, with position,
 * what was found, what is allowed and the nearest name.
 *
 * Member types by enum option_type:
 *   OPT_STRING const char *     OPT_BOOL bool             OPT_INT int64_t          OPT_DECIMAL uint64_t
 *   OPT_DURATION int64_t (ns)   OPT_SIZE uint64_t (bytes) OPT_ENUM int             OPT_ADDRESS struct
 * address_option OPT_URL const char *        OPT_PATH const char *     OPT_SECRET_FILE const char * (path;
 * its content is never loaded here)          OPT_CONNINFO const char * (masked in dumps) OPT_STRING_LIST
 * struct string_list                    OPT_INT_LIST struct int_list OPT_STRING_MAP struct string_map (free
 * keys)          OPT_SECTION the section's struct, embedded OPT_SECTION_PTR pointer to it, NULL when absent
 * OPT_SECTION_LIST struct section_list of them OPT_SECTION_MAP struct section_list of them, keyed: each
 * element's first member is `const char *` = key OPT_DYNAMIC void *: filled by the row's `parse` hook
 *
 * A row named "*" (OPT_STRING_MAP) takes the keys that no other row of its section names. An absent
 * OPT_SECTION is parsed as an empty mapping, required keys included; what is optional as a whole is an
 * OPT_SECTION_PTR. A key without a value is an empty section, list or map, and refused for scalars.
 *
 * Ownership: everything lives in the arena given to option_parse(), which has no maximum (the tree it
 * reads is bounded); tables are static and immutable.
 * Threads: the result is immutable. */
#ifndef FRAISEQL_CORE_OPTION_H
#define FRAISEQL_CORE_OPTION_H

#include "lib/core/buf.h"
#include "lib/core/yaml.h"

enum option_type {
    OPT_STRING,
    OPT_BOOL,
    OPT_INT,
    OPT_DECIMAL,
    OPT_DURATION,
    OPT_SIZE,
    OPT_ENUM,
    OPT_ADDRESS,
    OPT_URL,
    OPT_PATH,
    OPT_SECRET_FILE,
    OPT_CONNINFO,
    OPT_STRING_LIST,
    OPT_INT_LIST,
    OPT_STRING_MAP,
    OPT_SECTION,
    OPT_SECTION_PTR,
    OPT_SECTION_LIST,
    OPT_SECTION_MAP,
    OPT_DYNAMIC
};

struct address_option {
    const char *text; /* as written, NULL when absent */
    const char *host; /* without brackets */
    uint16_t port;
};

struct string_list {
    size_t count;
    const char **items;
};

struct int_list {
    size_t count;
    int64_t *items;
};

struct string_pair {
    const char *key, *value;
};

struct string_map {
    size_t count;
    struct string_pair *items; /* file order */
};

struct section_list {
    size_t count;
    void *items; /* contiguous, stride = section->size */
};

/* Element i of a section_list as a pointer to its type. */
#define SECTION_AT(type, list, i) (&((type *)(list).items)[i])

/* Where a struct was written, for checks that come after parsing. Optional first or later member of a
 * section struct, at section->position_offset (0 with has_position false: none). */
struct option_position {
    const char *file;
    unsigned line, column;
};

struct option_enum {
    const char *name;
    int value;
};

struct option_section;

struct option {
    const char *name;
    enum option_type type;
    size_t offset;
    bool required;
    bool not_empty;           /* texts, paths, lists and maps: an empty one is refused */
    bool secret;              /* texts, lists and maps: values are shown as *** */
    bool not_reloadable;      /* a change needs a restart */
    const char *default_text; /* NULL: zero, NULL or empty */
    /* Bounds of INT, DURATION (ns), SIZE, DECIMAL (scaled) and the items of INT_LIST. Both 0: none; max 0
     * with another min: no upper one. */
    int64_t min, max;
    unsigned scale; /* OPT_DECIMAL: digits after the point that are kept */
    /* Ended by a NULL name. OPT_ENUM; OPT_STRING and OPT_STRING_LIST: texts that are allowed. With `check`
     * the hook decides, and these are for the reference and the schema only. */
    const struct option_enum *choices;
    const struct option_section *section; /* OPT_SECTION*; OPT_DYNAMIC: for the reference, may be NULL */
    const char *unit;                     /* shown in the reference, e.g. "duration", "bytes" */
    const char *help;                     /* one or two sentences, ending with a full stop */
    /* OPT_DYNAMIC: parses, reports through diag, returns 0 or a negative code. */
    int (*parse)(const struct option *option, const struct node *node, struct arena *arena, void *member,
                 struct diag *diag);
    /* OPT_DYNAMIC: writes the effective value as lines of block YAML, each at `indent` spaces or more, below
     * the "name:" that is written already. Without a line, or when NULL, the option is not shown. */
    void (*dump)(const struct option *option, const void *member, struct buf *out, unsigned indent);
    /* Optional check of a parsed scalar's text, or of each item of a list of texts (selectors, names): 0, or
     * a negative code with err filled. */
    int (*check)(const char *text, struct error *err);
};

struct option_section {
    const char *name; /* for headings of the reference, e.g. "scrapers.postgres[]" */
    const char *help;
    size_t size; /* of the struct */
    const struct option *options;
    size_t option_count;
    /* NULL, or names ended by NULL of which at most one may be given; exactly one with one_of_required. */
    const char *const *one_of;
    bool one_of_required;
    bool has_position;
    size_t position_offset; /* of a struct option_position, when has_position */
    /* Optional check over the whole struct, called when its members are set and none was refused; reports
     * through diag, best with node_report(). An embedded section that is absent is checked with an empty
     * node. */
    void (*check)(const void *config, const struct node *node, struct diag *diag);
};

/* Parses `node` into `config` (section->size bytes, zeroed by the caller). 0, or ERR_CONFIG when diag gained
 * an error; `config` is then partly filled and only to be thrown away. */
int option_parse(const struct option_section *section, const struct node *node, struct arena *arena,
                 void *config, struct diag *diag) CHECK_RESULT;
/* Fills defaults only, as for an empty mapping without the required check. */
void option_defaults(const struct option_section *section, struct arena *arena, void *config);
/* The effective configuration as YAML; secrets and passwords as ***. */
void option_dump(const struct option_section *section, const void *config, struct buf *out, unsigned indent);
/* SHA-256 over all values, secrets included: equal for equal configurations, so that a reload can tell what
 * has changed where option_dump() would show *** on both sides. Not for storing. */
#define OPTION_DIGEST_BYTES 32
void option_digest(const struct option_section *section, const void *config,
                   unsigned char digest[OPTION_DIGEST_BYTES]);
/* True when an option that is marked not_reloadable differs; its path ("collector.listen") goes to `path`.
 * Looks into nested sections, not into lists of sections. */
bool option_needs_restart(const struct option_section *section, const void *before, const void *after,
                          char path[NODE_PATH_MAX]);
/* Reference in Markdown: a heading and a table a section, depth first, each section once. */
void option_write_markdown(const struct option_section *section, struct buf *out);
/* JSON Schema (draft 2020-12). With `either_spelling` keys may be written with _ for - and the other way. */
void option_write_schema(const struct option_section *section, const char *title, bool either_spelling,
                         struct buf *out);

/* "host:port", "[v6]:port", ":port" (all addresses); port 1 to 65535. */
int option_parse_address(struct str text, struct arena *arena, struct address_option *ret_address,
                         struct error *err) CHECK_RESULT;

#endif
