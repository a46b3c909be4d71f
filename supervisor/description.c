#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES (256 * 1024)

bool name_is_sound(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(name);
    return length && length <= NAME_MAX_BYTES && name[0] != '.' && strspn(name, allowed) == length;
}

/* "\n" and "\\" become what they stand for. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (*at == '\\' && at[1]) {
            at++;
            *to++ = *at == 'n' ? '\n' : *at;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
}

static bool number_of(const char *text, int least, int most, int *ret)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < least || value > most)
        return false;
    *ret = (int)value;
    return true;
}

static const char *take(struct description *ret, const char *key, const char *value)
{
    if (strcmp(key, "user") == 0)
        ret->user = value;
    else if (strcmp(key, "log") == 0)
        ret->log = value;
    else if (strcmp(key, "environment-file") == 0)
        ret->environment_file = value;
    else if (strcmp(key, "arg") == 0 && ret->argument_count < ARGUMENTS_MAX)
        ret->arguments[ret->argument_count++] = value;
    else if (strcmp(key, "capability") == 0 && ret->capability_count < 8)
        ret->capabilities[ret->capability_count++] = value;
    else if (strcmp(key, "stop-signal") == 0)
        return number_of(value, 1, 31, &ret->stop_signal) ? NULL : "stop-signal is no signal";
    else if (strcmp(key, "stop-timeout-s") == 0)
        return number_of(value, 0, 86400, &ret->stop_timeout_s) ? NULL : "stop-timeout-s is no time";
    else
        return "a line is not known, or there are too many of its kind";
    return NULL;
}

bool description_parse(char *bytes, struct description *ret, const char **ret_why)
{
    *ret = (struct description){.bytes = bytes, .user = "root", .stop_signal = 15, .stop_timeout_s = 30};
    *ret_why = NULL;
    char *rest = NULL;
    for (char *line = strtok_r(bytes, "\n", &rest); line && !*ret_why; line = strtok_r(NULL, "\n", &rest)) {
        char *space = strchr(line, ' ');
        if (!space) {
            *ret_why = "a line has no value";
            break;
        }
        *space = '\0';
        unescape(space + 1);
        *ret_why = take(ret, line, space + 1);
    }
    if (!*ret_why && (!ret->argument_count || ret->arguments[0][0] != '/'))
        *ret_why = "the program's absolute path is missing";
    if (!*ret_why)
        return true;
    description_free(ret);
    return false;
}

bool description_load(const char *path, struct description *ret, const char **ret_why)
{
    *ret = (struct description){0};
    *ret_why = "it cannot be read";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    char *bytes = malloc(FILE_MAX_BYTES + 1);
    size_t length = 0;
    ssize_t got = 1;
    while (bytes && length < FILE_MAX_BYTES && (got = read(fd, bytes + length, FILE_MAX_BYTES - length)) > 0)
        length += (size_t)got;
    (void)close(fd);
    if (!bytes || got != 0) {
        free(bytes);
        return false;
    }
    bytes[length] = '\0';
    return description_parse(bytes, ret, ret_why);
}

void description_free(struct description *description)
{
    free(description->bytes);
    *description = (struct description){0};
}
