#include "lib/net/retry.h"

#include "lib/core/clock.h"
#include "lib/core/crypto.h"
#include "lib/core/error.h"
#include "lib/net/http_date.h"

bool retry_status_passes(int status)
{
    return status == 408 || status == 429 || (status >= 500 && status <= 599 && status != 501);
}

bool retry_code_passes(int code)
{
    return code == ERR_UNAVAILABLE || code == ERR_TIMEOUT;
}

int64_t retry_pause_ns(unsigned tries, unsigned char random)
{
    int64_t pause_ns = RETRY_FIRST_NS;
    for (unsigned i = 1; i < tries && pause_ns < RETRY_LONGEST_NS; i++)
        pause_ns *= 2;
    if (pause_ns > RETRY_LONGEST_NS)
        pause_ns = RETRY_LONGEST_NS;
    return pause_ns + pause_ns / 1024 * random;
}

int64_t retry_after_ns(struct str header, int64_t now_wall_ns, int64_t max_ns)
{
    uint64_t seconds;
    int64_t date_s;
    int64_t wait_ns = 0;
    header = str_trim(header);
    if (str_to_u64(header, &seconds))
        wait_ns = seconds > (uint64_t)(max_ns / NS_PER_S) ? max_ns : (int64_t)seconds * NS_PER_S;
    else if (http_date_parse(header, &date_s))
        wait_ns =
            date_s - now_wall_ns / NS_PER_S > max_ns / NS_PER_S ? max_ns : date_s * NS_PER_S - now_wall_ns;
    if (wait_ns < 0)
        wait_ns = 0;
    return wait_ns < max_ns ? wait_ns : max_ns;
}

bool retry_sleep(unsigned tries, int64_t asked_ns, int64_t deadline_mono_ns)
{
    unsigned char random;
    crypto_random(&random, sizeof random);
    int64_t pause_ns = retry_pause_ns(tries, random);
    if (pause_ns < asked_ns)
        pause_ns = asked_ns;
    if (pause_ns >= deadline_mono_ns - clock_mono_ns())
        return false;
    clock_sleep_ns(pause_ns);
    return true;
}
