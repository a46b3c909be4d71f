#include "scrapers/backup/status.h"

#define WORDS_MAX 8

const char *const backup_type_names[BACKUP_TYPE_COUNT] = {"full", "diff", "incr"};
const char *const backup_action_names[BACKUP_ACTION_COUNT] = {"backup", "verification"};

struct words {
    struct str items[WORDS_MAX];
    size_t count; /* also of those that had no room */
};

static struct str take_until(struct str *rest, char end)
{
    const char *at = memchr(rest->ptr, end, rest->len);
    struct str taken = {rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len};
    size_t used = taken.len + (at != NULL);
    *rest = (struct str){rest->ptr + used, rest->len - used};
    return taken;
}

static struct words split(struct str line)
{
    struct words words = {.count = 0};
    while (line.len) {
        struct str word = take_until(&line, ' ');
        if (words.count < WORDS_MAX)
            words.items[words.count] = word;
        words.count++;
    }
    return words;
}

static int index_of(struct str word, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (str_equal_text(word, names[i]))
            return i;
    }
    return -1;
}

/* Whether the backup of that label is among the lines "verified LABEL SECONDS". */
static bool is_verified(struct str text, struct str label)
{
    while (text.len) {
        struct words words = split(take_until(&text, '\n'));
        if (words.count == 3 && str_equal_text(words.items[0], "verified") &&
            str_equal(words.items[1], label))
            return true;
    }
    return false;
}

static bool read_backup(const struct words *words, struct str text, struct backup_status *status)
{
    struct backup_newest one = {0};
    int type = words->count == 7 ? index_of(words->items[2], backup_type_names, BACKUP_TYPE_COUNT) : -1;
    if (type < 0 || !str_to_u64(words->items[3], &one.ended_s) ||
        !str_to_u64(words->items[4], &one.database_bytes) || !str_to_u64(words->items[5], &one.stored_bytes))
        return false;
    if (one.ended_s < status->since_s || !str_equal_text(words->items[6], "done"))
        return true;
    if (one.ended_s >= status->newest[type].ended_s)
        status->newest[type] = one;
    /* Only one that would be the newest is looked for: of thousands, few are. */
    if (one.ended_s > status->verified.ended_s && is_verified(text, words->items[1]))
        status->verified = one;
    return true;
}

static bool read_attempt(const struct words *words, struct backup_status *status)
{
    int action = words->count == 4 ? index_of(words->items[1], backup_action_names, BACKUP_ACTION_COUNT) : -1;
    if (action < 0)
        return words->count == 4;
    struct backup_attempt *attempt = &status->attempts[action];
    attempt->done = str_equal_text(words->items[3], "done");
    return str_to_u64(words->items[2], &attempt->ended_s);
}

static bool read_line(struct str line, struct str text, struct backup_status *status)
{
    struct words words = split(line);
    if (words.count == 0)
        return true;
    if (str_equal_text(words.items[0], "backup"))
        return read_backup(&words, text, status);
    if (str_equal_text(words.items[0], "attempt"))
        return read_attempt(&words, status);
    return true;
}

static bool read_since(struct str text, uint64_t *ret_s)
{
    while (text.len) {
        struct words words = split(take_until(&text, '\n'));
        if (words.count == 2 && str_equal_text(words.items[0], "since"))
            return str_to_u64(words.items[1], ret_s) && *ret_s;
    }
    return false;
}

int backup_status_read(struct str text, struct backup_status *ret, struct error *err)
{
    *ret = (struct backup_status){0};
    if (!read_since(text, &ret->since_s))
        return error_set(err, ERR_PARSE, "the status of backups does not say since when they are expected");
    struct str rest = text;
    for (unsigned number = 1; rest.len; number++) {
        if (!read_line(take_until(&rest, '\n'), text, ret))
            return error_set(err, ERR_PARSE, "the status of backups: line %u is malformed", number);
    }
    return 0;
}

uint64_t backup_status_newest_s(const struct backup_status *status)
{
    uint64_t newest_s = 0;
    for (int i = 0; i < BACKUP_TYPE_COUNT; i++) {
        if (status->newest[i].ended_s > newest_s)
            newest_s = status->newest[i].ended_s;
    }
    return newest_s;
}
