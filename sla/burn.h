/* Burn rates and budgets in integers.
 *
 * b = 1e9 - objective_ppb. BR(w) = (spent / total) / (b / 1e9); 1 for the whole window spends exactly the
 * budget. Source: Google SRE Workbook, chapter 5; products are 128 bits wide, because spent * 1e9 leaves 64
 * at 1.8e10. Pure. */
#ifndef FRAISEQL_SLA_BURN_H
#define FRAISEQL_SLA_BURN_H

#include "lib/journal/bucket_codec.h"
#include "sla/sla_config.h"

#define SLA_PPB UINT64_C(1000000000)

/* Events as no_data counts them. */
struct burn_counts {
    uint64_t good, total, spent; /* good + spent == total */
};

struct burn_counts burn_count(const struct bucket_counts *counts, enum sla_no_data no_data);
/* False without events. */
bool burn_rate(const struct burn_counts *counts, uint64_t budget_ppb, double *ret_rate);
/* spent/total burns faster than threshold_milli / 1000, exactly; false without events. */
bool burn_exceeds(const struct burn_counts *counts, uint64_t budget_ppb, uint64_t threshold_milli);

#endif
