/* Replication between the regions' databases. They are private: the gateways set it up by what the global
 * root has put into each region's store, and say there how it stands, which is waited for. Where a region has
 * none, its SQL is for a person. */
#include "lib/core/clock.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/gateways.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define WAIT_DEFAULT_S 900
#define WAIT_MAX_S     86400
#define PAUSE_FIRST_NS (2 * NS_PER_S)
#define PAUSE_MAX_NS   (10 * NS_PER_S) /* Google: ten questions a minute and machine */
#define ANSWER_NS      (20 * NS_PER_S)
/* A right may take its time until it holds everywhere; so often in a row, it is not there. */
#define REFUSALS_MAX 12U
#define STEP         "replication"

static const char *const modes[] = {[REPLICATION_NONE] = "none",
                                    [REPLICATION_STREAMING] = "streaming",
                                    [REPLICATION_ACTIVE_ACTIVE] = "active-active"};

static void step(struct run *run, enum step_mark mark, const char *note)
{
    run_step(run, mark, STEP, NULL, note, "Configuring replication (%s)",
             modes[run->deployment->replication.mode]);
}

static bool has_sql(const struct run_root *root)
{
    return !root->failed &&
           access(arena_printf(root->run->arena, "%s/replication.sql", root->folder), F_OK) == 0;
}

/* --- by hand -------------------------------------------------------------------------------------------- */

static void by_hand(struct run *run, const struct root_outputs *outputs)
{
    size_t shown = 0;
    step(run, STEP_WARN,
         "the databases are private and cannot be reached from here; run this inside each region's network, "
         "in all with -v phase=publish, then in all with -v phase=subscribe (the files name further "
         "variables):");
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

/* --- by gateways ---------------------------------------------------------------------------------------- */

static int64_t patience_ns(const struct run *run)
{
    const char *text = command_value(run->ctx, "--replication-timeout");
    uint64_t seconds = WAIT_DEFAULT_S;
    if (text && (!str_to_u64(str_from(text), &seconds) || seconds > WAIT_MAX_S))
        seconds = WAIT_DEFAULT_S;
    return (int64_t)seconds * NS_PER_S;
}

static void forget(struct run *run)
{
    for (size_t i = 0; i < run->region_count; i++)
        run->regions[i].gateway = NULL;
}

/* Finds the gateways of the regions that stand. False: a region that takes part has none. */
static bool find_gateways(struct run *run, struct root_outputs *outputs, const struct node *documents)
{
    bool all = true;
    for (size_t i = 0; i < run->region_count; i++) {
        struct run_root *root = &run->regions[i];
        if (root->skipped || !has_sql(root))
            continue;
        if (root_outputs(root, &outputs[i], NULL) || !outputs[i].replication_state[0])
            all = false;
        else
            root->gateway = gateway_new(root, outputs[i].replication_state, documents);
    }
    return all;
}

/* --region leaves the part between regions as it is: whom that part has told nothing yet is not waited for.
 * How many are left. */
static size_t leave_untold(struct run *run)
{
    size_t count = 0;
    for (size_t i = 0; i < run->region_count; i++) {
        struct run_root *root = &run->regions[i];
        if (root->gateway && run->ctx->regions.count && !root->gateway->document[0])
            root->gateway = NULL;
        count += root->gateway != NULL;
    }
    return count;
}

/* What the live view and the records say of it. */
static void show_progress(struct run_root *root, const char *state)
{
    const struct gateway *gateway = root->gateway;
    struct run *run = root->run;
    (void)pthread_mutex_lock(&run->lock);
    root->done = gateway->state.settled;
    root->total = gateway->state.peers;
    if (strncmp(root->flight[0].address, gateway->state.detail, sizeof root->flight[0].address - 1) != 0 ||
        !root->flight_count) {
        (void)snprintf(root->flight[0].address, sizeof root->flight[0].address, "%s", gateway->state.detail);
        root->flight[0].started_ns = clock_mono_ns();
    }
    root->flight_count = 1;
    int64_t elapsed = clock_mono_ns() - root->started_ns;
    (void)pthread_mutex_unlock(&run->lock);
    run_progress(run, root->name, STEP, state, gateway->state.settled, gateway->state.peers, elapsed);
}

static void ask_once(struct run_root *root)
{
    if (root->gateway)
        gateway_ask(root, root->gateway, clock_mono_ns() + ANSWER_NS);
}

static bool is_refusal(const struct gateway *gateway)
{
    return gateway->state.standing == GATEWAY_UNKNOWN &&
           (gateway->err.code == ERR_AUTH || gateway->err.code == ERR_CONFIG ||
            gateway->err.code == -ENOTSUP);
}

static void wait_for(struct run_root *root)
{
    struct gateway *gateway = root->gateway;
    if (!gateway)
        return;
    int64_t deadline = clock_mono_ns() + patience_ns(root->run), pause = PAUSE_FIRST_NS;
    for (unsigned refusals = 0;;) {
        gateway_ask(root, gateway, clock_mono_ns() + ANSWER_NS);
        bool settled = gateway_is_settled(gateway->state.standing);
        show_progress(root, settled ? "done" : "running");
        root_heard(root, "%s", gateway->state.detail ? gateway->state.detail : "");
        refusals = is_refusal(gateway) ? refusals + 1 : 0;
        int64_t left = deadline - clock_mono_ns();
        /* With no document there is nobody who could do it. */
        if (settled || !gateway->document[0] || refusals == REFUSALS_MAX || left <= 0 ||
            run_interrupted(root->run))
            return;
        run_pause(root->run, left < pause ? left : pause);
        pause = 2 * pause < PAUSE_MAX_NS ? 2 * pause : PAUSE_MAX_NS;
    }
}

/* Over the regions that have a gateway, and no mark on the others. */
static void each_gateway(struct run *run, run_root_fn *work)
{
    struct run_root **roots = arena_alloc(run->arena, (run->region_count + 1) * sizeof *roots);
    size_t count = 0;
    for (size_t i = 0; i < run->region_count; i++) {
        if (run->regions[i].gateway)
            roots[count++] = &run->regions[i];
    }
    run_each(run, roots, count, "connecting", work);
    /* What an interrupt kept from being asked stands all the same. */
    for (size_t i = 0; i < count; i++)
        roots[i]->skipped = false;
}

static size_t count_unsettled(const struct run *run)
{
    size_t count = 0;
    for (size_t i = 0; i < run->region_count; i++) {
        const struct gateway *gateway = run->regions[i].gateway;
        count += gateway && !gateway_is_settled(gateway->state.standing);
    }
    return count;
}

static void show_gateways(const struct run *run)
{
    for (size_t i = 0; i < run->region_count && !run->ctx->json; i++) {
        const struct run_root *root = &run->regions[i];
        if (root->gateway)
            output_printf(run->ctx->out, "      %s: %s: %s\n", root->name,
                          gateway_standing_text(root->gateway->state.standing), root->gateway->state.detail);
    }
}

static void complain(const struct run *run, const struct run_root *root)
{
    const struct gateway_state *state = &root->gateway->state;
    bool said = state->standing == GATEWAY_FAILED;
    struct error err = {0};
    (void)error_set(&err, ERR_PEER, "%s: replication is not set up%s: %s", root->name,
                    said ? ", and its gateway says" : "", state->detail);
    error_set_hint(&err,
                   "`fraiseql deploy %s` goes on waiting, and `fraiseql deploy status %s --region %s` shows "
                   "how it stands",
                   run->ctx->file, run->ctx->file, root->name);
    output_error(run->ctx->out, &err);
}

static int judge_waiting(struct run *run, enum replication_left *ret_left)
{
    if (!count_unsettled(run)) {
        step(run, STEP_OK, NULL);
        show_gateways(run);
        *ret_left = REPLICATION_NOTHING_LEFT;
        return STATUS_OK;
    }
    *ret_left = REPLICATION_NOT_SET_UP;
    if (run_interrupted(run)) {
        step(run, STEP_WARN, "interrupted; the gateways go on by themselves:");
        show_gateways(run);
        return STATUS_INTERRUPTED;
    }
    step(run, STEP_FAILED, NULL);
    for (size_t i = 0; i < run->region_count; i++) {
        const struct run_root *root = &run->regions[i];
        if (root->gateway && !gateway_is_settled(root->gateway->state.standing))
            complain(run, root);
    }
    return STATUS_FAILURE;
}

/* Why nothing is waited for; NULL: it is. */
static const char *not_waited(const struct run *run, bool all_stand)
{
    if (!all_stand)
        return "the gateways go on by themselves once the rest stands; so far:";
    if (command_given(run->ctx, "--skip-replication-wait"))
        return "--skip-replication-wait: the gateways set it up now, and again whenever it changes; "
               "`fraiseql deploy status` shows how it stands";
    return NULL;
}

static int by_gateways(struct run *run, bool all_stand, enum replication_left *ret_left)
{
    const char *why = not_waited(run, all_stand);
    if (!leave_untold(run) && run->ctx->regions.count) {
        step(run, STEP_SKIPPED,
             "--region leaves the part between regions as it is; without it, it is set up");
        return STATUS_OK;
    }
    if (!why) {
        each_gateway(run, wait_for);
        return judge_waiting(run, ret_left);
    }
    if (!all_stand)
        each_gateway(run, ask_once);
    step(run, STEP_WARN, why);
    if (!all_stand)
        show_gateways(run);
    *ret_left = REPLICATION_BY_GATEWAYS;
    return STATUS_OK;
}

static const struct node *documents_of(struct run *run)
{
    const struct node *documents = NULL;
    struct error err = {0};
    if (gateways_documents(run, &documents, &err))
        output_error(run->ctx->out, &err);
    return documents;
}

int flow_replication(struct run *run, bool all_stand, enum replication_left *ret_left)
{
    *ret_left = REPLICATION_NOTHING_LEFT;
    if (!gateways_wanted(run)) {
        step(run, STEP_SKIPPED,
             run->deployment->replication.mode == REPLICATION_NONE ? "replication.mode is none"
             : deployment_region_count(run->own)                   ? "no region in a cloud takes part"
                                                                   : "there is one region");
        return STATUS_OK;
    }
    struct root_outputs *outputs = arena_zalloc(run->arena, (run->region_count + 1) * sizeof *outputs);
    int status = STATUS_OK;
    if (find_gateways(run, outputs, documents_of(run))) {
        status = by_gateways(run, all_stand, ret_left);
    } else {
        by_hand(run, outputs);
        *ret_left = REPLICATION_BY_HAND;
    }
    forget(run);
    return status;
}

int flow_replication_again(struct run *run, enum replication_left *ret_left)
{
    struct root_outputs *outputs = arena_zalloc(run->arena, (run->region_count + 1) * sizeof *outputs);
    int status = STATUS_OK;
    *ret_left = REPLICATION_NOTHING_LEFT;
    if (!gateways_wanted(run) || command_given(run->ctx, "--skip-replication-wait"))
        return STATUS_OK;
    if (find_gateways(run, outputs, documents_of(run))) {
        (void)leave_untold(run);
        each_gateway(run, ask_once);
        if (count_unsettled(run))
            status = by_gateways(run, true, ret_left);
    }
    forget(run);
    return status;
}
