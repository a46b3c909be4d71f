#include "lib/net/http_date.h"

#include <time.h>

#define DATE_BYTES 29

static bool digits(const char *text, size_t count, int *ret_number)
{
    uint64_t number;
    /* str_to_u64() takes digits only, so blanks and signs are refused. */
    if (!str_to_u64((struct str){text, count}, &number))
        return false;
    *ret_number = (int)number;
    return true;
}

static int month_of(const char *text)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++) {
        if (memcmp(names + (size_t)i * 3, text, 3) == 0)
            return i;
    }
    return -1;
}

bool http_date_parse(struct str text, int64_t *ret_s)
{
    static const char form[DATE_BYTES + 1] = "???, ?? ??? ???? ??:??:?? GMT";
    if (text.len != DATE_BYTES)
        return false;
    for (size_t i = 0; i < DATE_BYTES; i++) {
        if (form[i] != '?' && form[i] != text.ptr[i])
            return false;
    }
    struct tm tm = {.tm_mon = month_of(text.ptr + 8)};
    int year;
    if (tm.tm_mon < 0 || !digits(text.ptr + 5, 2, &tm.tm_mday) || !digits(text.ptr + 12, 4, &year) ||
        !digits(text.ptr + 17, 2, &tm.tm_hour) || !digits(text.ptr + 20, 2, &tm.tm_min) ||
        !digits(text.ptr + 23, 2, &tm.tm_sec))
        return false;
    if (year < 1970 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
        tm.tm_sec > 60)
        return false;
    tm.tm_year = year - 1900;
    *ret_s = (int64_t)timegm(&tm);
    return true;
}
