#include "sla/burn.h"

struct burn_counts burn_count(const struct bucket_counts *counts, enum sla_no_data no_data)
{
    struct burn_counts result = {.good = counts->good, .spent = counts->bad};
    if (no_data == SLA_NO_DATA_BAD)
        result.spent += counts->unknown;
    if (no_data == SLA_NO_DATA_GOOD)
        result.good += counts->unknown;
    result.total = result.good + result.spent;
    return result;
}

bool burn_rate(const struct burn_counts *counts, uint64_t budget_ppb, double *ret_rate)
{
    if (!counts->total || !budget_ppb)
        return false;
    unsigned __int128 spent = (unsigned __int128)counts->spent * SLA_PPB;
    *ret_rate = (double)spent / (double)((unsigned __int128)budget_ppb * counts->total);
    return true;
}

bool burn_exceeds(const struct burn_counts *counts, uint64_t budget_ppb, uint64_t threshold_milli)
{
    /* spent * 1e12 < 2^64 * 2^40; a threshold that can fire has threshold_milli * b < 1e12. */
    unsigned __int128 limit = (unsigned __int128)threshold_milli * budget_ppb;
    if (!counts->total || limit >= (unsigned __int128)SLA_PPB * 1000)
        return false;
    return (unsigned __int128)counts->spent * (SLA_PPB * 1000) > limit * counts->total;
}
