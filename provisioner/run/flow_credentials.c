/* The step of a run in which each cloud is asked who we are, before anything is made. */
#include "lib/core/clock.h"
#include "provisioner/run/credentials.h"
#include "provisioner/run/flow.h"

#define WAIT_NS   (30 * NS_PER_S)
#define NOTES_MAX (64UL * 1024)

static void ask(struct run_root *root)
{
    root->failed = false;
    credential_ask(root->run->deployment, root->region, clock_mono_ns() + WAIT_NS, root->arena,
                   root->credentials);
}

/* Only who is about to make something needs to be allowed to: a plan may be made by one who just reads. */
static bool stops(const struct run *run, const struct credential_answer *answer)
{
    bool makes = strcmp(run->ctx->command->name, "deploy") == 0 && !run->ctx->dry_run;
    return answer->state == CREDENTIALS_REFUSED || (answer->state == CREDENTIALS_LACKING && makes);
}

static void complain(const struct run *run, const struct credential_answer *answer)
{
    struct error err = {0};
    (void)error_set(&err, ERR_AUTH, "%s: %s", answer->region->name, answer->check.problem);
    error_set_hint(&err, "%s", answer->check.mend ? answer->check.mend : "");
    output_error(run->ctx->out, &err);
}

/* What is known and stops nothing, a line a region. A dead cloud blocks nobody: its own plan will say so. */
static void put_notes(const struct run *run, const struct credential_answer *answers, struct buf *notes)
{
    for (size_t i = 0; i < run->cloud_count; i++) {
        const struct credential_check *check = &answers[i].check;
        const char *line = answers[i].state == CREDENTIALS_LACKING || answers[i].state == CREDENTIALS_UNKNOWN
                               ? check->problem
                               : check->note;
        if (line && !stops(run, &answers[i]))
            buf_printf(notes, "%s%s: %s", notes->len ? "\n    " : "", answers[i].region->name, line);
    }
}

static enum step_mark mark_of(const struct run *run, const struct credential_answer *answers, bool failed,
                              bool noted)
{
    bool asked = false;
    for (size_t i = 0; i < run->cloud_count; i++)
        asked = asked || answers[i].state != CREDENTIALS_UNASKED;
    return failed ? STEP_FAILED : !asked ? STEP_SKIPPED : noted ? STEP_WARN : STEP_OK;
}

int flow_credentials(struct run *run)
{
    struct credential_answer *answers = arena_zalloc(run->arena, (run->cloud_count + 1) * sizeof *answers);
    struct buf notes = BUF_INIT(NOTES_MAX);
    bool failed = false;
    for (size_t i = 0; i < run->cloud_count; i++) {
        answers[i].region = run->cloud_roots[i]->region;
        answers[i].state = CREDENTIALS_UNASKED;
        run->cloud_roots[i]->credentials = &answers[i];
    }
    run_each_cloud(run, "checking", ask);
    for (size_t i = 0; i < run->cloud_count; i++)
        failed = failed || stops(run, &answers[i]);
    put_notes(run, answers, &notes);
    enum step_mark mark = mark_of(run, answers, failed, notes.len > 0);
    run_step(run, mark, "credentials", NULL,
             mark == STEP_SKIPPED
                 ? "this version leaves it to the plan, where terraform asks each cloud who we are"
             : notes.len ? buf_text(&notes)
                         : NULL,
             "Checking cloud credentials (%s)", flow_clouds(run));
    buf_deinit(&notes);
    credential_record(run->ctx->out, answers, run->cloud_count);
    for (size_t i = 0; i < run->cloud_count; i++) {
        if (stops(run, &answers[i]))
            complain(run, &answers[i]);
    }
    return failed ? STATUS_CREDENTIALS : run_interrupted(run) ? STATUS_INTERRUPTED : STATUS_OK;
}
