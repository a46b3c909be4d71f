/* Copies of SLI events that outlive the call that brought them: one allocation each, freed with free(). */
#ifndef FRAISEQL_SLA_EVENT_COPY_H
#define FRAISEQL_SLA_EVENT_COPY_H

#include "lib/metrics/sli.h"

struct sli_probe_event *event_copy_probe(const struct sli_probe_event *event);
struct sli_span_counts *event_copy_spans(const struct sli_span_counts *counts);

#endif
