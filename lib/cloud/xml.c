#include "lib/cloud/xml.h"

#include "lib/core/buf.h"

struct reader {
    struct str all;
    size_t at;
    struct arena *arena;
    struct error *err;
    size_t elements;
};

/* An element that is open. */
struct level {
    struct xml *element, *last;
    struct buf text;
    bool has_text; /* other than blanks */
};

static int fail(struct reader *reader, const char *what)
{
    return error_set(reader->err, ERR_PARSE, "not the XML it should be: %s at byte %zu", what, reader->at);
}

static struct str rest(const struct reader *reader)
{
    return (struct str){reader->all.ptr + reader->at, reader->all.len - reader->at};
}

static bool take(struct reader *reader, const char *text)
{
    if (!str_starts(rest(reader), str_from(text)))
        return false;
    reader->at += strlen(text);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool skip_blanks(struct reader *reader)
{
    size_t begin = reader->at;
    while (reader->at < reader->all.len && is_blank(reader->all.ptr[reader->at]))
        reader->at++;
    return reader->at > begin;
}

/* Moves behind `end`; *ret is what lies before it. */
static bool take_until(struct reader *reader, const char *end, struct str *ret)
{
    struct str text = rest(reader);
    const char *found = text.len ? memmem(text.ptr, text.len, end, strlen(end)) : NULL;
    if (!found)
        return false;
    *ret = (struct str){text.ptr, (size_t)(found - text.ptr)};
    reader->at += ret->len + strlen(end);
    return true;
}

static bool is_name_byte(char c, bool first)
{
    bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == ':' || (c & 0x80);
    return letter || (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

static struct str take_name(struct reader *reader)
{
    struct str text = rest(reader);
    size_t length = 0;
    while (length < text.len && is_name_byte(text.ptr[length], length == 0))
        length++;
    reader->at += length;
    return (struct str){text.ptr, length};
}

/* --- text ---------------------------------------------------------------------------------------------- */

static void put_utf8(struct buf *out, uint32_t code)
{
    if (code < 0x80) {
        buf_append_byte(out, (char)code);
        return;
    }
    if (code < 0x800) {
        buf_append_byte(out, (char)(0xC0 | code >> 6));
    } else {
        if (code < 0x10000) {
            buf_append_byte(out, (char)(0xE0 | code >> 12));
        } else {
            buf_append_byte(out, (char)(0xF0 | code >> 18));
            buf_append_byte(out, (char)(0x80 | (code >> 12 & 0x3F)));
        }
        buf_append_byte(out, (char)(0x80 | (code >> 6 & 0x3F)));
    }
    buf_append_byte(out, (char)(0x80 | (code & 0x3F)));
}

static bool is_character(uint32_t code)
{
    return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code < 0xD800) ||
           (code >= 0xE000 && code < 0xFFFE) || (code >= 0x10000 && code <= 0x10FFFF);
}

/* "#233" or "#xE9". */
static bool character_number(struct str name, uint32_t *ret_code)
{
    uint32_t base = 10, code = 0;
    size_t i = 1;
    if (name.len > 1 && name.ptr[1] == 'x') {
        base = 16;
        i = 2;
    }
    if (i >= name.len || name.len > 9)
        return false;
    for (; i < name.len; i++) {
        char c = name.ptr[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                                : 99;
        if (digit >= base)
            return false;
        code = code * base + digit;
    }
    *ret_code = code;
    return is_character(code);
}

/* The part between & and ;. */
static bool put_entity(struct buf *out, struct str name)
{
    static const struct {
        const char *name;
        char byte;
    } known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    uint32_t code;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (str_equal_text(name, known[i].name)) {
            buf_append_byte(out, known[i].byte);
            return true;
        }
    }
    if (!name.len || name.ptr[0] != '#' || !character_number(name, &code))
        return false;
    put_utf8(out, code);
    return true;
}

static int take_text(struct reader *reader, struct level *level)
{
    struct str run = rest(reader);
    const char *end = memchr(run.ptr, '<', run.len);
    /* All the room at once: growing would leave copies of what may be a secret. */
    (void)buf_reserve(&level->text, end ? (size_t)(end - run.ptr) : run.len);
    while (reader->at < reader->all.len && reader->all.ptr[reader->at] != '<') {
        char c = reader->all.ptr[reader->at];
        struct str entity;
        if (c == '&') {
            reader->at++;
            if (!take_until(reader, ";", &entity) || !put_entity(&level->text, entity))
                return fail(reader, "an entity that is not one of XML's own");
            level->has_text = true;
            continue;
        }
        if ((unsigned char)c < 0x20 && !is_blank(c))
            return fail(reader, "a control character");
        level->has_text = level->has_text || !is_blank(c);
        buf_append_byte(&level->text, c);
        reader->at++;
    }
    return 0;
}

/* --- tags ---------------------------------------------------------------------------------------------- */

/* Attributes and the end of a start tag. */
static int take_tag_rest(struct reader *reader, bool *ret_empty)
{
    for (;;) {
        bool blank = skip_blanks(reader);
        *ret_empty = take(reader, "/>");
        if (*ret_empty || take(reader, ">"))
            return 0;
        struct str value;
        if (!blank || !take_name(reader).len)
            return fail(reader, "a tag that does not end");
        (void)skip_blanks(reader);
        if (!take(reader, "="))
            return fail(reader, "an attribute without a value");
        (void)skip_blanks(reader);
        bool doubled = take(reader, "\"");
        if ((!doubled && !take(reader, "'")) || !take_until(reader, doubled ? "\"" : "'", &value))
            return fail(reader, "an attribute without quotes");
        if (memchr(value.ptr, '<', value.len))
            return fail(reader, "a < in an attribute");
    }
}

static int open_element(struct reader *reader, struct level *parent, struct level *ret, bool *ret_empty)
{
    struct str name = take_name(reader);
    if (!name.len)
        return fail(reader, "a tag without a name");
    if (++reader->elements > XML_ELEMENTS_MAX)
        return error_set(reader->err, ERR_LIMIT, "more than %u elements", XML_ELEMENTS_MAX);
    if (parent->has_text)
        return fail(reader, "text beside elements");
    struct xml *element = arena_zalloc(reader->arena, sizeof *element);
    element->name = (struct str){arena_strdup(reader->arena, name), name.len};
    element->text = STR("");
    if (parent->last)
        parent->last->next = element;
    else if (parent->element)
        parent->element->first = element;
    parent->last = element;
    *ret = (struct level){.element = element, .text = BUF_INIT(reader->all.len + 1)};
    return take_tag_rest(reader, ret_empty);
}

static void forget_text(struct level *level)
{
    if (level->text.data)
        explicit_bzero(level->text.data, level->text.cap);
    buf_deinit(&level->text);
}

static int close_element(struct reader *reader, struct level *level)
{
    struct str name = take_name(reader);
    (void)skip_blanks(reader);
    if (!take(reader, ">") || !str_equal(name, level->element->name))
        return fail(reader, "an end tag that closes something else");
    if (level->last && level->has_text)
        return fail(reader, "text beside elements");
    if (!level->last)
        level->element->text =
            (struct str){arena_strdup(reader->arena, buf_str(&level->text)), level->text.len};
    return 0;
}

/* A comment, true; *ret_code when it has no end. */
static bool skip_comment(struct reader *reader, int *ret_code)
{
    struct str text;
    *ret_code = 0;
    if (!take(reader, "<!--"))
        return false;
    if (!take_until(reader, "-->", &text) || memmem(text.ptr, text.len, "--", 2))
        *ret_code = fail(reader, "a comment that does not end");
    return true;
}

static int take_cdata(struct reader *reader, struct level *level)
{
    struct str text;
    if (!take_until(reader, "]]>", &text))
        return fail(reader, "a CDATA section that does not end");
    level->has_text = level->has_text || text.len;
    buf_append_str(&level->text, text);
    return 0;
}

/* One thing inside of levels[*depth]. */
static int step(struct reader *reader, struct level *levels, unsigned *depth)
{
    int code;
    bool empty;
    if (reader->at >= reader->all.len)
        return fail(reader, "an end within an element");
    if (reader->all.ptr[reader->at] != '<')
        return take_text(reader, &levels[*depth]);
    if (skip_comment(reader, &code))
        return code;
    if (take(reader, "<![CDATA["))
        return take_cdata(reader, &levels[*depth]);
    if (take(reader, "</")) {
        code = close_element(reader, &levels[*depth]);
        if (code)
            return code; /* the caller forgets what is open */
        forget_text(&levels[(*depth)--]);
        return 0;
    }
    reader->at++;
    if (*depth + 1 > XML_DEPTH_MAX)
        return error_set(reader->err, ERR_LIMIT, "elements more than %u deep", XML_DEPTH_MAX);
    code = open_element(reader, &levels[*depth], &levels[*depth + 1], &empty);
    if (!code && !empty)
        ++*depth;
    return code;
}

/* Blanks and comments around the root. */
static int skip_around(struct reader *reader)
{
    int code = 0;
    do
        (void)skip_blanks(reader);
    while (skip_comment(reader, &code) && !code);
    return code;
}

static int parse(struct reader *reader, struct level *levels, unsigned *depth)
{
    struct str declaration;
    bool empty = false;
    (void)take(reader, "\xEF\xBB\xBF");
    if (take(reader, "<?xml ") && !take_until(reader, "?>", &declaration))
        return fail(reader, "a declaration that does not end");
    int code = skip_around(reader);
    if (code)
        return code;
    if (!take(reader, "<"))
        return fail(reader, "no element");
    code = open_element(reader, &levels[0], &levels[1], &empty);
    *depth = code || empty ? 0 : 1;
    while (!code && *depth)
        code = step(reader, levels, depth);
    if (!code)
        code = skip_around(reader);
    if (!code && reader->at < reader->all.len)
        code = fail(reader, "something behind the end");
    return code;
}

int xml_parse(struct str bytes, struct arena *arena, const struct xml **ret_root, struct error *err)
{
    struct reader reader = {.all = bytes, .arena = arena, .err = err};
    struct level levels[XML_DEPTH_MAX + 1] = {0};
    unsigned depth = 0;
    if (!str_is_utf8(bytes))
        return fail(&reader, "bytes that are not UTF-8");
    int code = parse(&reader, levels, &depth);
    for (; depth; depth--)
        forget_text(&levels[depth]);
    if (!code)
        *ret_root = levels[0].last;
    return code;
}

const struct xml *xml_child(const struct xml *parent, const char *name)
{
    for (const struct xml *child = parent ? parent->first : NULL; child; child = child->next) {
        if (str_equal_text(child->name, name))
            return child;
    }
    return NULL;
}

const char *xml_text(const struct xml *parent, const char *name)
{
    const struct xml *child = xml_child(parent, name);
    return child ? child->text.ptr : "";
}

const struct xml *xml_again(const struct xml *element)
{
    for (const struct xml *next = element->next; next; next = next->next) {
        if (str_equal(next->name, element->name))
            return next;
    }
    return NULL;
}
