#include "lib/core/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static _Atomic bool use_virtual;
static _Atomic int64_t virtual_mono_ns, virtual_wall_ns;

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_mono_ns(void)
{
    return unlikely(atomic_load_explicit(&use_virtual, memory_order_relaxed)) ? virtual_mono_ns
                                                                              : read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall_ns(void)
{
    return unlikely(atomic_load_explicit(&use_virtual, memory_order_relaxed)) ? virtual_wall_ns
                                                                              : read_clock(CLOCK_REALTIME);
}

void clock_set_virtual(int64_t mono_ns, int64_t wall_ns)
{
    virtual_mono_ns = mono_ns;
    virtual_wall_ns = wall_ns;
    use_virtual = true;
}

void clock_use_real(void)
{
    use_virtual = false;
}

const char *clock_format_rfc3339(int64_t wall_ns, char text[CLOCK_RFC3339_SIZE])
{
    int64_t ms = wall_ns / NS_PER_MS - (wall_ns % NS_PER_MS < 0 ? 1 : 0); /* floor, also before 1970 */
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0 ? 1 : 0));
    struct tm parts;
    if (!gmtime_r(&seconds, &parts)) {
        text[0] = '\0';
        return text;
    }
    size_t used = strftime(text, CLOCK_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(text + used, CLOCK_RFC3339_SIZE - used, ".%03dZ", (int)((ms % 1000 + 1000) % 1000));
    return text;
}

static bool number_at(struct str text, size_t at, size_t count, int min, int max, int *ret_number)
{
    uint64_t number;
    if (!str_to_u64((struct str){text.ptr + at, count}, &number))
        return false;
    *ret_number = (int)number;
    return *ret_number >= min && *ret_number <= max;
}

bool clock_parse_rfc3339(struct str text, int64_t *ret_wall_ns)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    struct tm tm = {0};
    size_t at = sizeof form - 1;
    if (text.len <= at)
        return false;
    for (size_t i = 0; i < at; i++) {
        if (form[i] != 'd' && form[i] != text.ptr[i])
            return false;
    }
    if (!number_at(text, 0, 4, 1970, 2200, &tm.tm_year) || !number_at(text, 5, 2, 1, 12, &tm.tm_mon) ||
        !number_at(text, 8, 2, 1, 31, &tm.tm_mday) || !number_at(text, 11, 2, 0, 23, &tm.tm_hour) ||
        !number_at(text, 14, 2, 0, 59, &tm.tm_min) || !number_at(text, 17, 2, 0, 60, &tm.tm_sec))
        return false;
    if (text.ptr[at] == '.') {
        size_t first = ++at;
        while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
            at++;
        if (at == first)
            return false;
    }
    struct str zone = {text.ptr + at, text.len - at};
    if (!str_equal(zone, STR("Z")) && !str_equal(zone, STR("+00:00")))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret_wall_ns = (int64_t)timegm(&tm) * NS_PER_S;
    return true;
}

void clock_sleep_ns(int64_t ns)
{
    struct timespec left = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    while (ns > 0 && nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}
