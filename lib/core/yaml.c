#include "lib/core/yaml.h"

#include "lib/core/buf.h"
#include "lib/core/file.h"
#include "lib/core/map.h"

#include <stdlib.h>
#include <yaml.h>

struct reader {
    yaml_parser_t yaml;
    yaml_event_t event; /* the current one; valid while has_event */
    bool has_event;
    struct arena *arena;
    const char *file;
    struct str bytes;
    struct diag *diag;
    size_t nodes;
    bool failed; /* a message was added: what is read goes on only to find more of them */
};

/* Line and column (1-based, in characters) of a byte. */
static void locate_byte(struct str bytes, size_t offset, unsigned *ret_line, unsigned *ret_column)
{
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < offset && i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        if (c == '\n') {
            line++;
            column = 1;
        } else if ((c & 0xC0) != 0x80) {
            column++;
        }
    }
    *ret_line = line;
    *ret_column = column;
}

static unsigned one_based(size_t value)
{
    return (unsigned)value + 1;
}

#define REFUSE(reader, mark, ...)                                                                            \
    ((reader)->failed = true, diag_add((reader)->diag, DIAG_ERROR, (reader)->file, one_based((mark).line),   \
                                       one_based((mark).column), __VA_ARGS__))

/* The byte at a mark, for hints; 0 past the end. */
static char byte_at(const struct reader *reader, yaml_mark_t mark)
{
    size_t line = 0, column = 0;
    for (size_t i = 0; i < reader->bytes.len; i++) {
        unsigned char c = (unsigned char)reader->bytes.ptr[i];
        if (line == mark.line && column == mark.column && (c & 0xC0) != 0x80)
            return (char)c;
        if (c == '\n') {
            line++;
            column = 0;
        } else if (line == mark.line && (c & 0xC0) != 0x80) {
            column++;
        }
    }
    return '\0';
}

static void report_syntax(struct reader *reader)
{
    const yaml_parser_t *yaml = &reader->yaml;
    const char *problem = yaml->problem ? yaml->problem : "malformed YAML";
    if (yaml->error == YAML_READER_ERROR) {
        unsigned line, column;
        locate_byte(reader->bytes, yaml->problem_offset, &line, &column);
        (void)diag_add(reader->diag, DIAG_ERROR, reader->file, line, column, "%s", problem);
        reader->failed = true;
        return;
    }
    struct error *error = REFUSE(reader, yaml->problem_mark, "malformed YAML: %s", problem);
    if (yaml->context)
        error_set_detail(error, "%s that starts at line %u", yaml->context,
                         one_based(yaml->context_mark.line));
    char found = byte_at(reader, yaml->problem_mark);
    if (found == '\t')
        error_set_hint(error, "indent with spaces: YAML does not allow tabs there");
    else if (found && strchr("@`%&*!|>{}[]", found))
        error_set_hint(error, "put a text that starts with or contains %c into quotes", found);
}

/* Moves on to the next event; false after a syntax error, which is then reported. */
static bool next_event(struct reader *reader)
{
    if (reader->has_event)
        yaml_event_delete(&reader->event);
    reader->has_event = yaml_parser_parse(&reader->yaml, &reader->event) != 0;
    if (!reader->has_event)
        report_syntax(reader);
    return reader->has_event;
}

static struct node *new_node(struct reader *reader, enum node_kind kind)
{
    yaml_mark_t mark = reader->event.start_mark;
    if (++reader->nodes > YAML_MAX_NODES) {
        (void)REFUSE(reader, mark, "more than %d values", YAML_MAX_NODES);
        return NULL;
    }
    struct node *node = arena_zalloc(reader->arena, sizeof *node);
    if (!node) {
        (void)REFUSE(reader, mark, "the file needs more memory than it may have");
        return NULL;
    }
    node->kind = kind;
    node->line = one_based(mark.line);
    node->column = one_based(mark.column);
    node->file = reader->file;
    return node;
}

static void refuse_properties(struct reader *reader, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        (void)REFUSE(reader, reader->event.start_mark, "anchors (&%s) are not supported: write the value out",
                     (const char *)anchor);
    if (tag)
        (void)REFUSE(reader, reader->event.start_mark, "tags (%s) are not supported", (const char *)tag);
}

static struct node *read_scalar(struct reader *reader)
{
    struct node *node = new_node(reader, NODE_SCALAR);
    if (!node)
        return NULL;
    refuse_properties(reader, reader->event.data.scalar.anchor, reader->event.data.scalar.tag);
    struct str text = {(const char *)reader->event.data.scalar.value, reader->event.data.scalar.length};
    if (text.len && memchr(text.ptr, '\0', text.len))
        (void)REFUSE(reader, reader->event.start_mark, "a text must not contain a zero byte");
    node->plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->scalar = (struct str){arena_strdup(reader->arena, text), text.len};
    if (!node->scalar.ptr) {
        (void)REFUSE(reader, reader->event.start_mark, "the file needs more memory than it may have");
        return NULL;
    }
    return node;
}

static struct node *read_node(struct reader *reader, unsigned depth);

/* A growing array of children, copied into the arena when its size is known. */
struct children {
    void *items;
    size_t count, capacity;
};

static void *add_child(struct children *children, size_t size)
{
    if (children->count == children->capacity) {
        children->capacity = children->capacity ? children->capacity * 2 : 8;
        children->items = xrealloc(children->items, children->capacity * size);
    }
    return (char *)children->items + size * children->count++;
}

static void *keep_children(struct reader *reader, struct children *children, size_t size)
{
    void *kept = arena_alloc(reader->arena, children->count * size);
    if (!kept)
        (void)REFUSE(reader, reader->event.start_mark, "the file needs more memory than it may have");
    else if (children->count)
        memcpy(kept, children->items, children->count * size);
    free(children->items);
    return kept;
}

static struct node *read_sequence(struct reader *reader, unsigned depth)
{
    struct node *node = new_node(reader, NODE_SEQUENCE);
    if (!node)
        return NULL;
    refuse_properties(reader, reader->event.data.sequence_start.anchor,
                      reader->event.data.sequence_start.tag);
    struct children children = {0};
    bool sound = next_event(reader);
    while (sound && reader->event.type != YAML_SEQUENCE_END_EVENT) {
        struct node *item = read_node(reader, depth + 1);
        if (item) {
            item->parent = node;
            *(struct node **)add_child(&children, sizeof item) = item;
        }
        sound = item && next_event(reader);
    }
    node->count = children.count;
    node->items = keep_children(reader, &children, sizeof *node->items);
    return sound && node->items ? node : NULL;
}

/* Reads a key and its value into *pair; false when reading cannot go on. A key that is refused is reported
 * and leaves pair->value NULL. */
static bool read_pair(struct reader *reader, unsigned depth, struct map *seen, struct node_pair *pair)
{
    yaml_mark_t mark = reader->event.start_mark;
    const struct node *key = read_node(reader, depth + 1);
    if (!key || !next_event(reader))
        return false;
    const struct node *first = key->kind == NODE_SCALAR ? map_get(seen, key->scalar) : NULL;
    bool refused = true;
    if (key->kind != NODE_SCALAR)
        (void)REFUSE(reader, mark, "a key must be a text, not %s", node_kind_text(key));
    else if (key->scalar.len > YAML_MAX_KEY_BYTES)
        (void)REFUSE(reader, mark, "a key must not be longer than %d bytes", YAML_MAX_KEY_BYTES);
    else if (first)
        (void)REFUSE(reader, mark, "duplicate key \"%s\": it was given in line %u already", key->scalar.ptr,
                     first->line);
    else
        refused = false;
    struct node *value = read_node(reader, depth + 1);
    if (!value || !next_event(reader))
        return false;
    *pair = (struct node_pair){key->scalar, key->line, key->column, refused ? NULL : value};
    if (!refused)
        (void)map_put(seen, key->scalar, (void *)(uintptr_t)key);
    return true;
}

static struct node *read_mapping(struct reader *reader, unsigned depth)
{
    struct node *node = new_node(reader, NODE_MAPPING);
    if (!node)
        return NULL;
    refuse_properties(reader, reader->event.data.mapping_start.anchor, reader->event.data.mapping_start.tag);
    struct children children = {0};
    struct map seen;
    map_init(&seen);
    bool sound = next_event(reader);
    while (sound && reader->event.type != YAML_MAPPING_END_EVENT) {
        struct node_pair pair;
        sound = read_pair(reader, depth, &seen, &pair);
        if (!sound || !pair.value)
            continue;
        pair.value->parent = node;
        pair.value->key = pair.key.ptr;
        *(struct node_pair *)add_child(&children, sizeof pair) = pair;
    }
    map_deinit(&seen);
    node->count = children.count;
    node->pairs = keep_children(reader, &children, sizeof *node->pairs);
    return sound && node->pairs ? node : NULL;
}

/* Reads the node that starts at the current event and stops at its last event. NULL: reading cannot go on. */
static struct node *read_node(struct reader *reader, unsigned depth)
{
    if (depth > YAML_MAX_DEPTH) {
        (void)REFUSE(reader, reader->event.start_mark, "nested deeper than %d levels", YAML_MAX_DEPTH);
        return NULL;
    }
    switch ((int)reader->event.type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader);
    case YAML_SEQUENCE_START_EVENT:
        return read_sequence(reader, depth);
    case YAML_MAPPING_START_EVENT:
        return read_mapping(reader, depth);
    case YAML_ALIAS_EVENT:
        (void)REFUSE(reader, reader->event.start_mark, "aliases (*%s) are not supported: write the value out",
                     (const char *)reader->event.data.alias.anchor);
        return new_node(reader, NODE_SCALAR);
    default:
        (void)REFUSE(reader, reader->event.start_mark, "malformed YAML: no value where one is expected");
        return NULL;
    }
}

static struct node *read_document(struct reader *reader)
{
    if (!next_event(reader) || !next_event(reader)) /* start of the stream, start of the document */
        return NULL;
    if (reader->event.type == YAML_STREAM_END_EVENT)
        return new_node(reader, NODE_MAPPING);
    if (!next_event(reader))
        return NULL;
    struct node *root = read_node(reader, 1);
    if (!root || !next_event(reader) || !next_event(reader)) /* end of the document, what follows */
        return NULL;
    if (reader->event.type != YAML_STREAM_END_EVENT)
        (void)REFUSE(reader, reader->event.start_mark, "a second document (---): a file holds one");
    if (node_is_null(root))
        root->kind = NODE_MAPPING;
    return root;
}

/* What some editors save. */
static bool is_utf16(struct str bytes)
{
    return bytes.len >= 2 && (memcmp(bytes.ptr, "\xFF\xFE", 2) == 0 || memcmp(bytes.ptr, "\xFE\xFF", 2) == 0);
}

/* True when the bytes are UTF-8 of an allowed size; reports otherwise. */
static bool check_bytes(const char *file, struct str bytes, struct diag *diag)
{
    if (bytes.len > YAML_MAX_BYTES) {
        (void)diag_add(diag, DIAG_ERROR, file, 0, 0, "the file is larger than %lu bytes", YAML_MAX_BYTES);
        return false;
    }
    if (str_is_utf8(bytes))
        return true;
    size_t good = 0;
    for (size_t step = 1; step; good += step)
        step = str_utf8_length((struct str){bytes.ptr + good, bytes.len - good});
    unsigned line, column;
    locate_byte(bytes, good, &line, &column);
    (void)diag_add(diag, DIAG_ERROR, file, line, column, "the file is not valid UTF-8%s",
                   is_utf16(bytes) ? "; it begins as UTF-16: save it as UTF-8" : "");
    return false;
}

int yaml_parse(struct arena *arena, const char *file, struct str bytes, struct node **ret_root,
               struct diag *diag)
{
    const char *kept = arena_strdup(arena, str_from(file));
    if (!kept) {
        (void)diag_add(diag, DIAG_ERROR, file, 0, 0, "the file needs more memory than it may have");
        return ERR_PARSE;
    }
    if (!check_bytes(file, bytes, diag))
        return ERR_PARSE;
    /* YAML 1.2, 5.2: a byte order mark may stand first. Told the encoding, libyaml takes it for text. */
    if (bytes.len >= 3 && memcmp(bytes.ptr, "\xEF\xBB\xBF", 3) == 0)
        bytes = (struct str){bytes.ptr + 3, bytes.len - 3};
    struct reader reader = {.arena = arena, .file = kept, .bytes = bytes, .diag = diag};
    if (!yaml_parser_initialize(&reader.yaml)) {
        (void)diag_add(diag, DIAG_ERROR, file, 0, 0, "the file needs more memory than there is");
        return ERR_PARSE;
    }
    yaml_parser_set_encoding(&reader.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.yaml, (const unsigned char *)(bytes.len ? bytes.ptr : ""),
                                 bytes.len);
    struct node *root = read_document(&reader);
    if (reader.has_event)
        yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.yaml);
    if (!root || reader.failed)
        return ERR_PARSE;
    *ret_root = root;
    return 0;
}

int yaml_load(struct arena *arena, const char *path, struct node **ret_root, struct diag *diag)
{
    struct error err;
    struct buf bytes = BUF_INIT(YAML_MAX_BYTES);
    int code = file_read(path, &bytes, &err);
    if (code) {
        diag_add_error(diag, DIAG_ERROR, &err);
        code = ERR_PARSE;
    } else {
        code = yaml_parse(arena, path, buf_str(&bytes), ret_root, diag);
    }
    buf_deinit(&bytes);
    return code;
}
