/* Shared by run/hosts_*.c. */
#ifndef FRAISEQL_PROVISIONER_RUN_HOSTS_INTERNAL_H
#define FRAISEQL_PROVISIONER_RUN_HOSTS_INTERNAL_H

#include "provisioner/run/hosts.h"
#include "provisioner/self_hosted/component.h"
#include "provisioner/self_hosted/runner.h"
#include "provisioner/self_hosted/vault.h"

/* A region on its host; those that --region leaves out too, as the others need to know of them. */
struct host_root {
    struct run_root *root; /* NULL: not of this run */
    struct site *site;
    struct layout layout;
    struct host *host; /* NULL: not open */
    struct step_list steps;
    struct ledger ledger;
    struct comparison comparison;
    struct runner runner;
    struct error err; /* why it is not open */
    uint64_t done;    /* steps, by this run */
    bool changed;     /* something of it was changed by this run */
    bool begun;       /* its journal entry is open */
};

struct hosts {
    struct run *run;
    struct arena *arena;
    char control[64]; /* folder of ssh's control connections; "": not made */
    bool exclusive;   /* a run that changes something */
    struct vault *vault;
    struct host_root *roots; /* all regions, in file order */
    struct site *sites;
    size_t count;
    size_t phase; /* that is under way: a stage, and after the last one what is removed */
    bool changed; /* something was changed in a phase before it, by this run */
};

/* The line of the live view. */
void hosts_flight(struct run_root *root, const char *title);
/* Whether its ledger has any step of that component, half done ones too. */
bool hosts_stands(const struct host_root *own, const char *component);
int hosts_open_all(struct run *run);
/* hosts_prepare() without a word. */
int hosts_make_steps(struct run *run, size_t *ret_steps, struct error *err) CHECK_RESULT;

#endif
