/* Shared by the files of this folder: how an estimate grows. */
#ifndef FRAISEQL_PROVISIONER_COST_INTERNAL_H
#define FRAISEQL_PROVISIONER_COST_INTERNAL_H

#include "provisioner/cost/cost.h"

struct builder {
    struct arena *arena;
    const struct deployment *deployment;
    const struct region *region;    /* NULL while `out` is the global part */
    const struct cost_usage *usage; /* of the region */
    struct cost_region *out;
    size_t capacity, note_capacity;
};

/* price NULL: unknown; `unit` is what it would be sold by. */
void cost_add(struct builder *builder, const char *component, const char *label, double quantity,
              const char *unit, const struct price *price, const char *format, ...) PRINTF_LIKE(7, 8);
void cost_note(struct builder *builder, const char *format, ...) PRINTF_LIKE(2, 3);
/* The region's own location's price. */
const struct price *cost_price(const struct builder *builder, const char *item);

/* Prices that follow from others by an exact rule, with a source that says so. NULL: unknown. */
const struct price *cost_machine_price(struct arena *arena, const char *provider, const char *location,
                                       const struct instance_type *type);
const struct price *cost_database_price(struct arena *arena, const char *provider, const char *location,
                                        const struct instance_type *type, bool high_availability);
const struct price *cost_storage_price(struct arena *arena, const char *provider, const char *location,
                                       bool high_availability);

/* The parts of a region. */
void cost_add_own_host(struct builder *builder); /* instead of all others */
void cost_add_compute(struct builder *builder);
void cost_add_database(struct builder *builder);
void cost_add_network(struct builder *builder);
void cost_add_traffic(struct builder *builder);
void cost_add_operation(struct builder *builder); /* backup, monitoring, secrets */
void cost_add_global(struct builder *builder);    /* DNS */

#define COST_BYTES_PER_GB 1e9
#define COST_HOURS        ((double)HOURS_PER_MONTH)

/* The sustained-use discount of a Google machine that runs all month, in per cent; 0: none. */
unsigned cost_sustained_use_percent(const char *provider, const char *type);
bool cost_is_burstable(const char *provider, const char *type);

/* What the table shows as one line. */
struct cost_group {
    const char *component;
    int64_t monthly_nano_usd;
    bool any_known, any_unknown;
    bool unverified; /* a price of it was written down from memory */
};
extern const char *const cost_components[]; /* ended by NULL, in the order of output */
/* false: the region has nothing of this component. */
bool cost_group_of(const struct cost_region *region, const char *component, struct cost_group *ret_group);
const char *cost_component_title(const char *component);
const char *cost_provider_title(const char *provider);

/* Quoted as RFC 4180 says, then `end`. A text that a spreadsheet would take for a formula gets an apostrophe
 * in front. */
void cost_csv_text(struct buf *out, const char *text, char end);
/* "| text ": what would end a cell or start markup is escaped. */
void cost_markdown_cell(struct buf *out, const char *text);

#endif
