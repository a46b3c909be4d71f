/* Unit prices, and the exact rules by which one follows from another. */
#include "provisioner/cost/internal.h"

#include <math.h>
#include <stdio.h>

const struct price *cost_price(const struct builder *builder, const char *item)
{
    return catalog_price(builder->region->provider_name, builder->region->location_name, item);
}

static const struct price *older(const struct price *a, const struct price *b)
{
    return strcmp(a->date, b->date) <= 0 ? a : b;
}

static const struct price *twice(struct arena *arena, const struct price *one)
{
    struct price *both = arena_alloc(arena, sizeof *both);
    *both = *one;
    both->nano_usd = 2 * one->nano_usd;
    both->source = arena_printf(arena, "twice one: %s", one->source);
    return both;
}

/* cpus x the vCPU's price + memory x the GiB's price. */
static const struct price *from_parts(struct arena *arena, const struct price *cpu, const struct price *ram,
                                      double vcpus, double memory_gib)
{
    struct price *sum = arena_alloc(arena, sizeof *sum);
    *sum = (struct price){
        .nano_usd = llround(vcpus * (double)cpu->nano_usd + memory_gib * (double)ram->nano_usd),
        .unit = cpu->unit,
        .source = arena_printf(arena, "%g vCPU + %g GiB: %s", vcpus, memory_gib, cpu->source),
        .date = older(cpu, ram)->date};
    return sum;
}

static const struct price *lookup(const char *provider, const char *location, const char *prefix,
                                  const char *name)
{
    char item[128];
    (void)snprintf(item, sizeof item, "%s%s", prefix, name);
    return catalog_price(provider, location, item);
}

/* Machines of a shared core are sold as a part of one vCPU, whatever they show. */
static double sold_vcpus(const struct instance_type *type)
{
    static const struct {
        const char *name;
        double vcpus;
    } shared[] = {{"e2-micro", 0.25}, {"e2-small", 0.5}, {"e2-medium", 1}};
    for (size_t i = 0; i < ARRAY_LEN(shared); i++) {
        if (strcmp(type->name, shared[i].name) == 0)
            return shared[i].vcpus;
    }
    return type->vcpus;
}

const struct price *cost_machine_price(struct arena *arena, const char *provider, const char *location,
                                       const struct instance_type *type)
{
    const struct price *own = lookup(provider, location, "vm:", type->name);
    if (strcmp(provider, "gcp") != 0)
        return own;
    char series[32];
    (void)snprintf(series, sizeof series, "%.*s", (int)strcspn(type->name, "-"), type->name);
    const struct price *cpu = lookup(provider, location, "vm-vcpu:", series),
                       *ram = lookup(provider, location, "vm-ram:", series);
    if (!cpu || !ram || (own && strcmp(own->date, older(cpu, ram)->date) >= 0))
        return own;
    return from_parts(arena, cpu, ram, sold_vcpus(type), type->memory_gib);
}

const struct price *cost_database_price(struct arena *arena, const char *provider, const char *location,
                                        const struct instance_type *type, bool high_availability)
{
    const struct price *pair = high_availability ? lookup(provider, location, "db-ha:", type->name) : NULL;
    if (pair)
        return pair;
    const struct price *one = lookup(provider, location, "db:", type->name);
    const struct price *cpu = catalog_price(provider, location, "db-vcpu"),
                       *ram = catalog_price(provider, location, "db-ram");
    if (!one && cpu && ram && strncmp(type->name, "db-custom-", 10) == 0)
        one = from_parts(arena, cpu, ram, type->vcpus, type->memory_gib);
    return one && high_availability ? twice(arena, one) : one;
}

const struct price *cost_storage_price(struct arena *arena, const char *provider, const char *location,
                                       bool high_availability)
{
    const struct price *pair = high_availability ? catalog_price(provider, location, "db-storage-ha") : NULL;
    const struct price *one = catalog_price(provider, location, "db-storage");
    if (pair || !one)
        return pair;
    return high_availability ? twice(arena, one) : one;
}

unsigned cost_sustained_use_percent(const char *provider, const char *type)
{
    static const struct {
        const char *series;
        unsigned percent;
    } discounts[] = {{"n1-", 30}, {"n2-", 20}, {"n2d-", 20}, {"c2-", 20}};
    for (size_t i = 0; strcmp(provider, "gcp") == 0 && i < ARRAY_LEN(discounts); i++) {
        if (strncmp(type, discounts[i].series, strlen(discounts[i].series)) == 0)
            return discounts[i].percent;
    }
    return 0;
}

bool cost_is_burstable(const char *provider, const char *type)
{
    if (strcmp(provider, "aws") == 0)
        return strncmp(type, "t2.", 3) == 0 || strncmp(type, "t3.", 3) == 0 ||
               strncmp(type, "t3a.", 4) == 0 || strncmp(type, "t4g.", 4) == 0;
    if (strcmp(provider, "azure") == 0)
        return strncmp(type, "Standard_B", 10) == 0;
    return strcmp(type, "e2-micro") == 0 || strcmp(type, "e2-small") == 0 || strcmp(type, "e2-medium") == 0;
}
