/* Replication between the regions' databases. They are private: the gateways set it up by what the global
 * root has put into each region's store, and say there how it stands. Where a region has none, its SQL is for
 * a person. */
#include "provisioner/run/flow.h"
#include "provisioner/run/outputs.h"

#include <unistd.h>

static const char *const modes[] = {[REPLICATION_NONE] = "none",
                                    [REPLICATION_STREAMING] = "streaming",
                                    [REPLICATION_ACTIVE_ACTIVE] = "active-active"};

static const char *mode_of(const struct run *run)
{
    return modes[run->deployment->replication.mode];
}

static bool has_sql(const struct run_root *root)
{
    return !root->failed &&
           access(arena_printf(root->run->arena, "%s/replication.sql", root->folder), F_OK) == 0;
}

static void by_gateways(struct run *run, const struct root_outputs *outputs)
{
    run_step(run, STEP_WARN, "replication", NULL,
             "the gateways set it up now, and again whenever it changes; each says how it stands here:",
             "Configuring replication (%s)", mode_of(run));
    for (size_t i = 0; i < run->region_count && !run->ctx->json; i++) {
        if (has_sql(&run->regions[i]))
            output_printf(run->ctx->out, "      %s: %s\n", run->regions[i].name,
                          outputs[i].replication_state);
    }
}

static void by_hand(struct run *run, const struct root_outputs *outputs)
{
    size_t shown = 0;
    run_step(
        run, STEP_WARN, "replication", NULL,
        "the databases are private and cannot be reached from here; run this inside each region's network, "
        "in "
        "all with -v phase=publish, then in all with -v phase=subscribe (the files name further variables):",
        "Configuring replication (%s)", mode_of(run));
    for (size_t i = 0; i < run->region_count && !run->ctx->json; i++) {
        const struct run_root *root = &run->regions[i];
        if (!has_sql(root) || !outputs[i].database_address)
            continue;
        output_printf(run->ctx->out,
                      "      %s: psql \"host=%s dbname=%s sslmode=verify-full\" -f %s/replication.sql\n",
                      root->name, outputs[i].database_address, outputs[i].database_name, root->folder);
        shown++;
    }
    if (!shown && !run->ctx->json)
        output_printf(run->ctx->out, "      (no SQL was rendered for the regions of this run)\n");
}

enum replication_left flow_replication(struct run *run)
{
    bool none = run->deployment->replication.mode == REPLICATION_NONE;
    if (none || deployment_region_count(run->deployment) < 2) {
        run_step(run, STEP_SKIPPED, "replication", NULL,
                 none ? "replication.mode is none" : "there is one region", "Configuring replication (%s)",
                 mode_of(run));
        return REPLICATION_NOTHING_LEFT;
    }
    struct root_outputs *outputs = arena_zalloc(run->arena, (run->region_count + 1) * sizeof *outputs);
    bool gateways = true;
    for (size_t i = 0; i < run->region_count; i++) {
        struct run_root *root = &run->regions[i];
        if (!has_sql(root))
            continue;
        if (root_outputs(root, &outputs[i], NULL) || !outputs[i].replication_state[0])
            gateways = false;
    }
    if (gateways) {
        by_gateways(run, outputs);
        return REPLICATION_BY_GATEWAYS;
    }
    by_hand(run, outputs);
    return REPLICATION_BY_HAND;
}
