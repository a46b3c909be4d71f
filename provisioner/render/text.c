/* Text for Terraform's JSON: every string there is a template, keys of maps included. */
#include "lib/core/crypto.h"
#include "provisioner/render/render_internal.h"

/* A brace after "$" or "%" starts a template; doubling the sign before makes it text again. */
static void escape(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if ((*text == '$' || *text == '%') && text[1] == '{')
            buf_append_byte(out, *text);
        buf_append_byte(out, *text);
    }
}

void render_text(struct json_writer *json, const char *text)
{
    if (!text || (!strstr(text, "${") && !strstr(text, "%{"))) {
        json_text(json, text ? text : "");
        return;
    }
    struct buf escaped = BUF_INIT(RENDER_MAX_BYTES);
    escape(&escaped, text);
    json_str(json, buf_str(&escaped));
    buf_deinit(&escaped);
}

void render_key(struct json_writer *json, const char *key)
{
    struct buf escaped = BUF_INIT(RENDER_MAX_BYTES);
    escape(&escaped, key);
    json_key(json, buf_text(&escaped));
    buf_deinit(&escaped);
}

void render_kv(struct json_writer *json, const char *key, const char *text)
{
    json_key(json, key);
    render_text(json, text);
}

static void new_line(struct buf *out, unsigned depth)
{
    buf_append_byte(out, '\n');
    for (unsigned i = 0; i < depth; i++)
        buf_append_text(out, "  ");
}

/* Length of the string literal that s starts with, quotes included. */
static size_t literal_length(struct str s)
{
    size_t i = 1;
    while (i < s.len && s.ptr[i] != '"')
        i += s.ptr[i] == '\\' ? 2 : 1;
    return i < s.len ? i + 1 : s.len;
}

void render_indent(struct str json, struct buf *out)
{
    unsigned depth = 0;
    for (size_t i = 0; i < json.len;) {
        char c = json.ptr[i];
        if (c == '"') {
            size_t length = literal_length((struct str){json.ptr + i, json.len - i});
            buf_append(out, json.ptr + i, length);
            i += length;
            continue;
        }
        i++;
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r')
            continue;
        if ((c == '{' || c == '[') && i < json.len && json.ptr[i] == c + 2) {
            buf_append(out, json.ptr + i - 1, 2); /* the closing bracket is two further in ASCII */
            i++;
            continue;
        }
        if (c == '}' || c == ']')
            new_line(out, --depth);
        buf_append_byte(out, c);
        if (c == ':')
            buf_append_byte(out, ' ');
        else if (c == ',')
            new_line(out, depth);
        else if (c == '{' || c == '[')
            new_line(out, ++depth);
    }
    buf_append_byte(out, '\n');
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Lower case letters, digits and single dashes of `text`, at most `max`; true when that is all of it. */
static bool append_slug(char *name, size_t *length, const char *text, size_t max)
{
    size_t start = *length;
    bool same = true;
    for (; *text; text++) {
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        bool fits = *length - start < max;
        bool dash = c == '-' && *length > 0 && name[*length - 1] != '-';
        if (fits && (is_word(c) || dash))
            name[(*length)++] = c;
        same = same && fits && c == *text && (is_word(c) || dash);
    }
    while (*length > start && name[*length - 1] == '-') {
        (*length)--;
        same = false;
    }
    name[*length] = '\0';
    return same;
}

#define HASH_LENGTH 6

static void append_hash(char *name, size_t *length, const char *deployment, const char *region)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    struct buf both = BUF_INIT(RENDER_MAX_BYTES);
    buf_append_text(&both, deployment);
    buf_append_byte(&both, '\0');
    buf_append_text(&both, region);
    unsigned char digest[CRYPTO_SHA256_BYTES];
    crypto_sha256(buf_str(&both), digest);
    buf_deinit(&both);
    name[(*length)++] = '-';
    for (size_t i = 0; i < HASH_LENGTH; i++)
        name[(*length)++] = alphabet[digest[i] % 32];
    name[*length] = '\0';
}

const char *render_name(const struct deployment *deployment, const struct region *region,
                        char name[RENDER_NAME_MAX + 1])
{
    const char *owner = deployment->metadata.name;
    size_t length = 0;
    /* "a-b" + "c" and "a" + "b-c" would be one name: only a deployment without a dash goes without hash. */
    bool whole = !strchr(owner, '-') && strlen(owner) + 1 + strlen(region->name) <= RENDER_NAME_MAX;
    const size_t room = RENDER_NAME_MAX - HASH_LENGTH - 2;
    size_t region_room = strlen(region->name) < room / 2 ? strlen(region->name) : room / 2;
    whole = append_slug(name, &length, owner, whole ? strlen(owner) : room - region_room) && whole;
    if (!length)
        name[length++] = 'f';
    name[length++] = '-';
    whole =
        append_slug(name, &length, region->name, RENDER_NAME_MAX - length - (whole ? 0 : HASH_LENGTH + 1)) &&
        whole;
    if (!whole) {
        while (length > RENDER_NAME_MAX - HASH_LENGTH - 1 || (length && name[length - 1] == '-'))
            length--;
        append_hash(name, &length, owner, region->name);
    }
    return name;
}

const char *render_label(const struct region *region, char label[RENDER_LABEL_MAX])
{
    size_t length = 0;
    const char *text = region->name;
    bool same = (text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z');
    for (; *text; text++) {
        bool allowed = is_word(*text) || (*text >= 'A' && *text <= 'Z') || *text == '-' || *text == '_';
        same = same && allowed && length < RENDER_LABEL_MAX - 1;
        if (same)
            label[length++] = *text;
    }
    label[length] = '\0';
    if (!same) {
        struct buf made = BUF_INIT(RENDER_LABEL_MAX);
        buf_printf(&made, "region_%zu", region->index);
        memcpy(label, buf_text(&made), made.len + 1);
        buf_deinit(&made);
    }
    return label;
}
