#include "lib/cloud/aws_config.h"

#include "lib/core/file.h"

#include <errno.h>

/* A section without settings is remembered by one with this key. */
#define SECTION_KEY ""

struct reader {
    struct aws_config *config;
    enum aws_config_kind kind;
    const char *path;
    struct arena *arena;
    struct error *err;
    unsigned line;
    const char *profile; /* NULL: a section that is passed over, or none yet */
    bool in_section, has_key;
    size_t first; /* of this file's settings */
};

void aws_config_init(struct aws_config *config)
{
    *config = (struct aws_config){.credentials = BUF_INIT(AWS_CONFIG_FILE_MAX),
                                  .config = BUF_INIT(AWS_CONFIG_FILE_MAX)};
}

static void forget(struct buf *bytes)
{
    if (bytes->data)
        explicit_bzero(bytes->data, bytes->cap);
    buf_deinit(bytes);
}

void aws_config_deinit(struct aws_config *config)
{
    forget(&config->credentials);
    forget(&config->config);
    config->settings = NULL;
    config->count = 0;
}

static int fail(const struct reader *reader, const char *what)
{
    (void)error_set(reader->err, ERR_CONFIG, "%s", what);
    error_set_position(reader->err, reader->path, reader->line, 0);
    return ERR_CONFIG;
}

static const struct aws_setting *find_in(const struct aws_config *config, size_t first, const char *profile,
                                         const char *key)
{
    for (size_t i = first; i < config->count; i++) {
        if (strcmp(config->settings[i].profile, profile) == 0 && strcmp(config->settings[i].key, key) == 0)
            return &config->settings[i];
    }
    return NULL;
}

static int add(struct reader *reader, const char *key, const char *value)
{
    struct aws_config *config = reader->config;
    if (config->count == AWS_CONFIG_VALUES_MAX)
        return fail(reader, "there are more settings than this program reads");
    if (find_in(config, reader->first, reader->profile, key))
        return fail(reader,
                    key[0] ? "this key is there twice in its profile" : "this profile is there twice");
    if ((config->count & (config->count - 1)) == 0) {
        size_t room = config->count ? 2 * config->count : 1;
        struct aws_setting *larger = arena_alloc(reader->arena, room * sizeof *larger);
        if (!larger)
            return fail(reader, "there are more settings than this program reads");
        if (config->count)
            memcpy(larger, config->settings, config->count * sizeof *larger);
        config->settings = larger;
    }
    config->settings[config->count++] =
        (struct aws_setting){reader->profile, key, value, reader->path, reader->line};
    return 0;
}

/* The name of a profile that may be written in quotes, terminated in place. */
static char *unquoted(struct str text)
{
    char *name = (char *)(uintptr_t)text.ptr;
    if (text.len >= 2 && (name[0] == '"' || name[0] == '\'') && name[text.len - 1] == name[0]) {
        name++;
        text.len -= 2;
    }
    name[text.len] = '\0';
    return name;
}

static int begin_section(struct reader *reader, char *line, size_t length)
{
    char *end = memchr(line, ']', length);
    struct str name;
    if (!end)
        return fail(reader, "a section's name ends in ]");
    struct str behind = str_trim((struct str){end + 1, length - (size_t)(end + 1 - line)});
    if (behind.len && behind.ptr[0] != '#' && behind.ptr[0] != ';')
        return fail(reader, "nothing may follow a section's name");
    name = str_trim((struct str){line + 1, (size_t)(end - line) - 1});
    if (!name.len)
        return fail(reader, "a section needs a name");
    reader->in_section = true;
    reader->has_key = false;
    reader->profile = NULL;
    bool named = name.len > 8 && str_starts(name, STR("profile")) && strchr(" \t", name.ptr[7]);
    if (reader->kind == AWS_CONFIG_FILE && named) {
        name = str_trim((struct str){name.ptr + 8, name.len - 8});
    } else if (reader->kind == AWS_CONFIG_FILE && !str_equal(name, STR("default"))) {
        return 0;
    }
    reader->profile = unquoted(name);
    return add(reader, SECTION_KEY, "");
}

static int take_setting(struct reader *reader, char *line, size_t length)
{
    size_t split = 0;
    while (split < length && line[split] != '=' && line[split] != ':')
        split++;
    if (split == length)
        return fail(reader, "this is neither a section, a comment nor \"key = value\"");
    struct str key = str_trim((struct str){line, split});
    struct str value = str_trim((struct str){line + split + 1, length - split - 1});
    if (!key.len)
        return fail(reader, "a value without a key");
    reader->has_key = true;
    if (!reader->profile)
        return 0;
    char *name = (char *)(uintptr_t)key.ptr, *text = (char *)(uintptr_t)value.ptr;
    for (size_t i = 0; i < key.len; i++)
        name[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
    name[key.len] = '\0';
    text[value.len] = '\0';
    return add(reader, name, text);
}

/* `line` has one byte of room behind it. */
static int take_line(struct reader *reader, char *line, size_t length)
{
    struct str trimmed = str_trim((struct str){line, length});
    bool indented = length && (line[0] == ' ' || line[0] == '\t');
    if (memchr(line, '\0', length))
        return fail(reader, "a zero byte: this is not a text file");
    if (!trimmed.len || trimmed.ptr[0] == '#' || trimmed.ptr[0] == ';')
        return 0;
    if (indented && reader->has_key) /* of the group of the key above */
        return 0;
    if (trimmed.ptr[0] == '[')
        return begin_section(reader, (char *)(uintptr_t)trimmed.ptr, trimmed.len);
    if (!reader->in_section)
        return fail(reader, "a setting before the first section");
    return take_setting(reader, (char *)(uintptr_t)trimmed.ptr, trimmed.len);
}

int aws_config_parse(struct aws_config *config, enum aws_config_kind kind, const char *path,
                     struct arena *arena, struct error *err)
{
    struct buf *bytes = kind == AWS_CREDENTIALS_FILE ? &config->credentials : &config->config;
    struct reader reader = {
        .config = config, .kind = kind, .path = path, .arena = arena, .err = err, .first = config->count};
    if (!buf_reserve(bytes, 1))
        return fail(&reader, "the file is larger than this program reads");
    size_t at = bytes->len >= 3 && memcmp(bytes->data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (at < bytes->len) {
        char *end = memchr(bytes->data + at, '\n', bytes->len - at);
        size_t length = end ? (size_t)(end - bytes->data) - at : bytes->len - at;
        reader.line++;
        int code = take_line(&reader, bytes->data + at, length);
        if (code)
            return code;
        at += length + 1;
    }
    return 0;
}

int aws_config_load(struct aws_config *config, enum aws_config_kind kind, const char *path,
                    struct arena *arena, bool *ret_found, struct error *err)
{
    struct buf *bytes = kind == AWS_CREDENTIALS_FILE ? &config->credentials : &config->config;
    /* All the room at once, so that growing leaves no copies behind that nobody wipes. */
    (void)buf_reserve(bytes, AWS_CONFIG_FILE_MAX);
    struct error reason = {0};
    int code = file_read(path, bytes, &reason);
    *ret_found = code == 0;
    if (code == -ENOENT || code == -ENOTDIR)
        return 0;
    if (code) {
        (void)error_set(err, ERR_CONFIG, "%s", reason.message);
        error_set_hint(err, "The file must be readable by who runs this, and of at most %lu KiB",
                       AWS_CONFIG_FILE_MAX >> 10);
        return ERR_CONFIG;
    }
    return aws_config_parse(config, kind, path, arena, err);
}

bool aws_config_has(const struct aws_config *config, const char *profile)
{
    return find_in(config, 0, profile, SECTION_KEY) != NULL;
}

const struct aws_setting *aws_config_find(const struct aws_config *config, const char *profile,
                                          const char *key)
{
    for (size_t i = 0; i < config->count; i++) {
        const struct aws_setting *setting = &config->settings[i];
        if (setting->value[0] && strcmp(setting->profile, profile) == 0 && strcmp(setting->key, key) == 0)
            return setting;
    }
    return NULL;
}
