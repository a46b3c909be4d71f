#include "lib/core/fault.h"

#include "lib/core/env.h"
#include "lib/core/str.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define FAULT_MAX      32
#define FAULT_NAME_MAX 64

struct fault {
    char name[FAULT_NAME_MAX];
    int errno_value;
    unsigned left; /* 0: for ever */
};

/* Process-wide by nature: the point of a fault is to reach into code that knows nothing of the test. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over faults */
static struct fault faults[FAULT_MAX];
static _Atomic unsigned armed; /* fast answer while there are none */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const struct {
    const char *name;
    int value;
} errno_names[] = {{"EIO", EIO},
                   {"ENOSPC", ENOSPC},
                   {"EACCES", EACCES},
                   {"ENOENT", ENOENT},
                   {"EAGAIN", EAGAIN},
                   {"EINTR", EINTR},
                   {"ENOMEM", ENOMEM},
                   {"EMFILE", EMFILE},
                   {"ECONNREFUSED", ECONNREFUSED},
                   {"ECONNRESET", ECONNRESET},
                   {"ETIMEDOUT", ETIMEDOUT},
                   {"EROFS", EROFS}};

static void arm(struct str name, int errno_value, unsigned count)
{
    if (!name.len || name.len >= FAULT_NAME_MAX)
        return;
    (void)pthread_mutex_lock(&lock);
    struct fault *free_slot = NULL, *slot = NULL;
    for (size_t i = 0; i < FAULT_MAX && !slot; i++) {
        if (str_equal_text(name, faults[i].name))
            slot = &faults[i];
        else if (!faults[i].errno_value && !free_slot)
            free_slot = &faults[i];
    }
    slot = slot ? slot : free_slot;
    if (slot) {
        armed += (errno_value ? 1U : 0U) - (slot->errno_value ? 1U : 0U);
        memcpy(slot->name, name.ptr, name.len);
        slot->name[name.len] = '\0';
        slot->errno_value = errno_value;
        slot->left = count;
    }
    (void)pthread_mutex_unlock(&lock);
}

static int errno_of(struct str text)
{
    uint64_t number;
    if (str_to_u64(text, &number) && number && number < 4096)
        return (int)number;
    for (size_t i = 0; i < ARRAY_LEN(errno_names); i++) {
        if (str_equal_text(text, errno_names[i].name))
            return errno_names[i].value;
    }
    return 0;
}

/* One name=errno[*count]. */
static bool arm_item(struct str item)
{
    const char *equals = memchr(item.ptr, '=', item.len);
    if (!equals)
        return false;
    struct str name = {item.ptr, (size_t)(equals - item.ptr)};
    struct str value = {equals + 1, item.len - name.len - 1};
    uint64_t count = 0;
    const char *star = value.len ? memchr(value.ptr, '*', value.len) : NULL;
    if (star) {
        struct str number = {star + 1, value.len - (size_t)(star - value.ptr) - 1};
        if (!str_to_u64(number, &count) || !count || count > UINT32_MAX)
            return false;
        value.len = (size_t)(star - value.ptr);
    }
    int errno_value = errno_of(value);
    if (!errno_value)
        return false;
    arm(name, errno_value, (unsigned)count);
    return true;
}

static void read_environment(void)
{
    struct str rest = str_from(env_get("FRAISEQL_FAULTS"));
    while (rest.len) {
        const char *comma = memchr(rest.ptr, ',', rest.len);
        struct str item = {rest.ptr, comma ? (size_t)(comma - rest.ptr) : rest.len};
        /* A fault that is not armed would make a test pass for nothing. */
        if (item.len && !arm_item(item)) {
            (void)fprintf(stderr, "FRAISEQL_FAULTS: cannot read \"%.*s\": want name=errno[*count]\n",
                          STR_ARGS(item));
            exit(64);
        }
        rest.ptr += item.len + (comma ? 1 : 0);
        rest.len -= item.len + (comma ? 1 : 0);
    }
}

int fault_check(const char *name)
{
    (void)pthread_once(&once, read_environment);
    if (likely(!atomic_load_explicit(&armed, memory_order_relaxed)))
        return 0;
    int errno_value = 0;
    (void)pthread_mutex_lock(&lock);
    for (size_t i = 0; i < FAULT_MAX; i++) {
        struct fault *fault = &faults[i];
        if (!fault->errno_value || strcmp(fault->name, name) != 0)
            continue;
        errno_value = fault->errno_value;
        if (fault->left && --fault->left == 0) {
            fault->errno_value = 0;
            armed--;
        }
        break;
    }
    (void)pthread_mutex_unlock(&lock);
    if (errno_value)
        errno = errno_value;
    return errno_value;
}

void fault_arm(const char *name, int errno_value, unsigned count)
{
    (void)pthread_once(&once, read_environment);
    arm(str_from(name), errno_value, count);
}
