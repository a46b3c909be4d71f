/* Terraform on one root: init, plan, apply, and what their streams say. */
#include "lib/core/clock.h"
#include "lib/core/crypto.h"
#include "lib/core/file.h"
#include "provisioner/provider.h"
#include "provisioner/run/attributes.h"
#include "provisioner/run/run.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STAMP_MAX_BYTES (1024UL * 1024)
#define LOCK_TIMEOUT    "-lock-timeout=120s"

void root_init(struct run *run, struct run_root *root, const struct region *region)
{
    const struct workspace *workspace = &run->workspace;
    root->run = run;
    root->arena = arena_new(0);
    root->region = region;
    root->name = region ? region->name : "global";
    root->title = region ? arena_printf(root->arena, "%s (%s)", region->provider->title, region->name)
                         : "the global part";
    root->folder = region ? arena_printf(root->arena, "%s/regions/%s", workspace->render, region->name)
                          : arena_printf(root->arena, "%s/global", workspace->render);
    /* A terraform that outlived the run that began it writes a plan of its own. */
    root->plan = arena_printf(root->arena, "%s/%s.%ld.tfplan", workspace->plans, root->name, (long)getpid());
}

int64_t root_changes(const struct run_root *root)
{
    return root->create + root->update + root->replace + root->destroy + root->import + root->restated;
}

bool root_was_interrupted(const struct run_root *root)
{
    const struct run_entry *last =
        run_entries_last(run_journal_before(root->run->journal), "apply", root->name);
    return last && (strcmp(last->event, "begin") == 0 || strcmp(last->outcome, "ok") != 0);
}

/* --- what the stream says
 * ------------------------------------------------------------------------------------- */

static const char *keep(struct run_root *root, const char *text)
{
    return arena_strdup(root->arena, str_from(text));
}

static void keep_change(struct run_root *root, const struct tf_event *event)
{
    if (root->change_count == root->change_capacity) {
        size_t capacity = root->change_capacity ? root->change_capacity * 2 : 64;
        struct root_change *grown = arena_alloc(root->arena, capacity * sizeof *grown);
        if (root->change_count)
            memcpy(grown, root->changes, root->change_count * sizeof *grown);
        root->changes = grown;
        root->change_capacity = capacity;
    }
    root->changes[root->change_count++] = (struct root_change){.address = keep(root, event->address),
                                                               .type = keep(root, event->type),
                                                               .action = keep(root, event->action),
                                                               .reason = keep(root, event->reason),
                                                               .import_id = keep(root, event->import_id)};
}

static int by_address(const void *a, const void *b)
{
    const struct root_change *one = a, *other = b;
    return strverscmp(one->address, other->address); /* r[2] before r[10] */
}

static void count_change(struct run_root *root, const struct tf_event *event)
{
    static const struct {
        const char *action;
        size_t member;
    } counters[] = {
        {"create", offsetof(struct run_root, create)},
        {"update", offsetof(struct run_root, update)},
        {"replace", offsetof(struct run_root, replace)},
        {"delete", offsetof(struct run_root, destroy)},
    };
    if (event->import_id[0])
        root->import++;
    for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
        if (strcmp(event->action, counters[i].action) == 0)
            ++*(int64_t *)(void *)((char *)root + counters[i].member);
    }
    if (strcmp(event->action, "noop") != 0 || event->import_id[0])
        keep_change(root, event);
}

/* Its last word on a plan: what it counted must have come, or the log was cut on its way (a full disk). It
 * counts a replacement as an addition and a removal. */
static void take_summary(struct run_root *root, const struct tf_event *event)
{
    root->summed = root->create + root->replace >= event->add && root->update >= event->change &&
                   root->destroy + root->replace >= event->remove && root->import >= event->import;
}

static void keep_problem(struct run_root *root, const struct tf_event *event)
{
    if (!event->is_error || root->problem_count == ROOT_PROBLEMS_MAX)
        return;
    /* Told to stop, terraform says so of every resource that it had not begun. */
    if (strcmp(event->summary, "execution halted") == 0 && run_interrupted(root->run))
        return;
    root->problems[root->problem_count++] = (struct root_problem){
        keep(root, event->summary), keep(root, event->detail), keep(root, event->address)};
}

/* With the lock held. */
static void take_off(struct run_root *root, const struct tf_event *event)
{
    if (root->flight_count == ROOT_IN_FLIGHT_MAX)
        return;
    struct root_flight *flight = &root->flight[root->flight_count++];
    (void)snprintf(flight->address, sizeof flight->address, "%s", event->address);
    flight->started_ns = clock_mono_ns();
}

static void land(struct run_root *root, const struct tf_event *event)
{
    for (size_t i = 0; i < root->flight_count; i++) {
        if (strncmp(root->flight[i].address, event->address, sizeof root->flight[i].address - 1) != 0)
            continue;
        memmove(&root->flight[i], &root->flight[i + 1],
                (root->flight_count - i - 1) * sizeof root->flight[i]);
        root->flight_count--;
        return;
    }
}

static void on_event(void *arg, const struct tf_event *event)
{
    struct run_root *root = arg;
    bool landed = event->kind == TF_APPLY_DONE || event->kind == TF_APPLY_FAILED;
    if (event->kind == TF_DIAGNOSTIC)
        keep_problem(root, event);
    if (event->kind == TF_TEXT)
        root->said = keep(root, event->message);
    if (event->kind == TF_PLANNED && root->planned)
        count_change(root, event);
    if (event->kind == TF_SUMMARY && root->planned)
        take_summary(root, event);
    if (event->kind != TF_APPLY_START && !landed)
        return;
    (void)pthread_mutex_lock(&root->run->lock);
    if (event->kind == TF_APPLY_START)
        take_off(root, event);
    else
        land(root, event);
    if (event->kind == TF_APPLY_DONE && strcmp(event->action, "read") != 0)
        root->done++;
    uint64_t done = root->done, total = root->total;
    int64_t elapsed = clock_mono_ns() - root->started_ns;
    (void)pthread_mutex_unlock(&root->run->lock);
    if (landed)
        run_progress(root->run, root->name, root->step, "running", done, total, elapsed);
}

static void on_started(void *arg, pid_t pid)
{
    struct run_root *root = arg;
    /* A plan that goes on without us changes nothing. */
    if (strcmp(root->step, "apply") == 0)
        run_journal_child(root->run->journal, root->step, root->name, pid);
    (void)pthread_mutex_lock(&root->run->lock);
    root->pid = pid;
    /* The second signal may have come just before there was anybody to pass it on to. */
    if (root->run->interrupts >= 2)
        (void)kill(pid, SIGINT);
    (void)pthread_mutex_unlock(&root->run->lock);
}

static void on_ended(void *arg)
{
    struct run_root *root = arg;
    (void)pthread_mutex_lock(&root->run->lock);
    root->pid = 0;
    root->flight_count = 0;
    (void)pthread_mutex_unlock(&root->run->lock);
}

/* --- commands
 * ------------------------------------------------------------------------------------------------- */

/* Told to stop while it plans, terraform reports whatever it was just reading as canceled. */
static bool was_stopped(const struct run_root *root, const char *what)
{
    (void)pthread_mutex_lock(&root->run->lock);
    bool stopped = root->run->interrupts >= 2;
    (void)pthread_mutex_unlock(&root->run->lock);
    return stopped && strcmp(what, "apply") != 0;
}

int root_fail(struct run_root *root, const char *what)
{
    root->failed = true;
    if (was_stopped(root, what))
        root->problem_count = 0;
    if (root->problem_count) {
        const struct root_problem *first = &root->problems[0];
        (void)error_set(&root->err, ERR_PEER, "%s %s: %s", root->name, what, first->summary);
        error_set_detail(&root->err, "%s%s%s", first->address,
                         first->address[0] && first->detail[0] ? ": " : "", first->detail);
    } else if (!root->err.message[0] && run_interrupted(root->run)) {
        (void)error_set(&root->err, ERR_PEER, "%s %s: stopped in the middle by the interrupt; %s", root->name,
                        what,
                        strcmp(what, "apply") == 0 ? "what was made is in the state" : "it changes nothing");
    } else if (!root->err.message[0]) {
        (void)error_set(&root->err, ERR_PEER, "%s %s: %s failed%s%s", root->name, what,
                        root->run->terraform.name, root->said ? ": " : " without saying why",
                        root->said ? root->said : "");
    }
    if (root->log)
        error_set_hint(&root->err, "What %s said is in %s", root->run->terraform.name, root->log);
    return root->err.code;
}

static struct tf_watch watch_of(struct run_root *root, const char *step)
{
    root->step = step;
    root->problem_count = 0;
    root->said = NULL;
    root->err = (struct error){0};
    root->log = arena_printf(root->arena, "%s/%s-%s.log", root->run->workspace.logs, root->name, step);
    return (struct tf_watch){on_event, on_started, on_ended, root};
}

void root_heard(struct run_root *root, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)pthread_mutex_lock(&root->run->lock);
    (void)vsnprintf(root->heard, sizeof root->heard, format, arguments);
    (void)pthread_mutex_unlock(&root->run->lock);
    va_end(arguments);
}

/* init is repeated only when the root's own file has changed: it takes seconds a root and goes one by one. */
static bool is_prepared(const struct run_root *root, const char *stamp, struct str digest)
{
    struct buf bytes = BUF_INIT(STAMP_MAX_BYTES);
    bool same = access(arena_printf(root->arena, "%s/.terraform/providers", root->folder), F_OK) == 0 &&
                file_read(stamp, &bytes, NULL) == 0 && str_equal(buf_str(&bytes), digest);
    buf_deinit(&bytes);
    return same;
}

static struct str digest_of(struct run_root *root)
{
    struct buf bytes = BUF_INIT(64UL * 1024 * 1024);
    unsigned char digest[CRYPTO_SHA256_BYTES];
    const char *const parts[] = {
        arena_printf(root->arena, "%s/main.tf.json", root->folder),
        arena_printf(root->arena, "%s/modules/%s/versions.tf", root->run->workspace.render,
                     root->region ? root->region->provider_name : "global"),
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (file_read(parts[i], &bytes, NULL))
            buf_append_text(&bytes, "none"); /* a root without a module of ours */
    }
    buf_append_text(&bytes, root->run->terraform.program);
    crypto_sha256(buf_str(&bytes), digest);
    buf_deinit(&bytes);
    struct buf text = BUF_INIT(256);
    crypto_base64_encode((struct str){(const char *)digest, sizeof digest}, &text);
    char *taken = buf_take(&text);
    char *copy = arena_strdup(root->arena, str_from(taken));
    free(taken);
    return str_from(copy);
}

void root_prepare(struct run_root *root)
{
    const char *stamp = arena_printf(root->arena, "%s/.terraform/fraiseql-init", root->folder);
    struct str digest = digest_of(root);
    int status = 0;
    if (is_prepared(root, stamp, digest))
        return;
    struct tf_watch watch = watch_of(root, "init");
    if (terraform_init(&root->run->terraform, root->folder, root->log, &watch, &status, &root->err) ||
        status) {
        struct buf said = BUF_INIT(STAMP_MAX_BYTES);
        bool read = file_read(root->log, &said, NULL) == 0;
        const char *error = read && said.len ? memmem(said.data, said.len, "Error: ", 7) : NULL;
        size_t left = error ? (size_t)(said.data + said.len - error) : 0;
        const char *end = left ? memchr(error, '\n', left) : NULL;
        if (!root->err.message[0] && error)
            (void)error_set(&root->err, ERR_PEER, "%s init: %.*s", root->name,
                            (int)(end ? (size_t)(end - error) - 7 : left - 7), error + 7);
        buf_deinit(&said);
        (void)root_fail(root, "init");
        return;
    }
    /* Without the stamp the next run repeats init. */
    if (file_replace(stamp, digest, 0600, NULL))
        (void)unlink(stamp);
}

int root_pull_state(const struct run_root *root, struct arena *arena, struct node **ret_state,
                    struct error *err)
{
    static const char *const arguments[] = {"state", "pull", NULL};
    struct buf bytes = BUF_INIT(TF_CAPTURE_MAX);
    *ret_state = NULL;
    int code = terraform_capture(&root->run->terraform, root->folder, arguments, &bytes, err);
    if (!code && str_trim(buf_str(&bytes)).len)
        code = json_parse(arena, buf_str(&bytes), ret_state, err);
    buf_deinit(&bytes);
    return code;
}

int root_mark_state(struct run_root *root, const char **ret_lineage, int64_t *ret_serial, struct error *err)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct node *state = NULL;
    *ret_lineage = "";
    *ret_serial = 0;
    int code = root_pull_state(root, arena, &state, err);
    if (code)
        return error_prefix(err, "%s", root->name);
    if (!state)
        return 0;
    *ret_lineage = arena_strdup(root->arena, node_text(state, "lineage"));
    if (!str_to_i64(node_text(state, "serial"), ret_serial))
        return error_set(err, ERR_PARSE, "%s: its state has no serial", root->name);
    return 0;
}

/* What of a plan did not come would be no change. */
static bool is_cut(struct run_root *root)
{
    if (!root->summed)
        (void)error_set(&root->err, ERR_CORRUPT,
                        "%s plan: what %s said of it is cut off, so that nobody knows what it would do; is "
                        "there room left on the disk?",
                        root->name, root->run->terraform.name);
    return !root->summed;
}

void root_plan(struct run_root *root)
{
    /* Without a lock: a plan changes nothing, a state that moves meanwhile makes it stale, and a run that is
     * killed while it plans leaves no lock behind. */
    const char *arguments[TF_ARGUMENTS_MAX] = {"plan", "-json", "-input=false", "-detailed-exitcode",
                                               "-lock=false"};
    size_t count = 5;
    int status = 0;
    root_prepare(root);
    if (root->failed)
        return;
    arguments[count++] = arena_printf(root->arena, "-out=%s", root->plan);
    for (size_t i = 0; root->extra && root->extra[i] && count < TF_ARGUMENTS_MAX - 1; i++)
        arguments[count++] = root->extra[i];
    if (!root_wait_for_orphan(root))
        return;
    /* Before the plan reads it: one that moves in between is refused, never taken for the plan's. */
    if (root->run->marks_states && root_mark_state(root, &root->lineage, &root->serial, &root->err)) {
        root->failed = true;
        return;
    }
    root->planned = true;
    root->change_count = 0;
    root->create = root->update = root->replace = root->destroy = root->import = 0;
    root->summed = root->restated = false;
    struct tf_watch watch = watch_of(root, "plan");
    if (terraform_run(&root->run->terraform, root->folder, arguments, root->log, &watch, &status,
                      &root->err) ||
        (status != 0 && status != 2) || is_cut(root))
        (void)root_fail(root, "plan");
    root->planned = !root->failed;
    /* As they come they are in another order each time. */
    if (root->change_count)
        qsort(root->changes, root->change_count, sizeof *root->changes, by_address);
    /* A run that was killed between its last resource and its end has left outputs to write. A plan of a
     * part, or of a removal, says nothing of them. */
    root->restated = root->planned && status == 2 && !root->extra && !root_changes(root);
}

int root_show_plan(const struct run_root *root, struct arena *arena, const struct node **ret_document,
                   const struct node **ret_changes, struct error *err)
{
    const char *const arguments[] = {"show", "-json", root->plan, NULL};
    struct buf bytes = BUF_INIT(TF_CAPTURE_MAX);
    struct node *document = NULL;
    int code = terraform_capture(&root->run->terraform, root->folder, arguments, &bytes, err);
    if (!code)
        code = json_parse(arena, buf_str(&bytes), &document, err);
    buf_deinit(&bytes);
    if (code)
        return code;
    if (ret_document)
        *ret_document = document;
    *ret_changes = node_member(document, "resource_changes");
    if (!*ret_changes || (*ret_changes)->kind != NODE_SEQUENCE)
        return error_set(err, ERR_PARSE, "%s: the plan lists no resource changes", root->name);
    return 0;
}

static struct root_change *find_changed(struct run_root *root, struct str address)
{
    for (size_t i = 0; i < root->change_count; i++) {
        const char *action = root->changes[i].action;
        if ((strcmp(action, "update") == 0 || strcmp(action, "replace") == 0) &&
            str_equal_text(address, root->changes[i].address))
            return &root->changes[i];
    }
    return NULL;
}

/* Without them the plan is what it is: they are shown, and nothing hangs on them. */
void root_name_attributes(struct run_root *root)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    const struct node *changes = NULL;
    struct error err = {0};
    root->unnamed = NULL;
    if (root->failed || !root->planned || root->update + root->replace == 0 || run_interrupted(root->run))
        return;
    if (root_show_plan(root, arena, NULL, &changes, &err)) {
        root->unnamed = keep(root, err.message);
        return;
    }
    for (size_t i = 0; i < changes->count; i++) {
        struct attribute_names names;
        struct root_change *change = find_changed(root, node_text(changes->items[i], "address"));
        /* What a replacement left behind has the address of what took its place. */
        if (!change || node_member(changes->items[i], "deposed"))
            continue;
        attributes_of_change(node_member(changes->items[i], "change"), strcmp(change->action, "replace") == 0,
                             root->arena, &names);
        change->attributes = names.items;
        change->attribute_count = names.count;
    }
}

/* The id of the lock that kept terraform from its state; NULL: something else did. A backend's own error
 * comes first and may have ids of its own (of the request, of the host). */
static const char *lock_in_the_way(const struct run_root *root)
{
    if (!root->problem_count || !strstr(root->problems[0].summary, "acquiring the state lock"))
        return NULL;
    const char *info = strstr(root->problems[0].detail, "Lock Info:");
    const char *id = info ? strstr(info, "ID:") : NULL;
    if (!id)
        return NULL;
    id += strlen("ID:");
    id += strspn(id, " ");
    size_t length = strcspn(id, " \r\n");
    /* It becomes an argument: what begins with a dash would be an option. */
    return length && id[0] != '-' ? arena_strdup(root->arena, (struct str){id, length}) : NULL;
}

/* A lock is stale for certain when the journal shows the apply that took it and that its process is gone: we
 * hold the deployment's own lock here. From another machine only the operator can know. */
static bool break_lock(struct run_root *root)
{
    const char *id = lock_in_the_way(root);
    bool known = root_was_interrupted(root);
    struct buf said = BUF_INIT(STAMP_MAX_BYTES);
    if (!id)
        return false;
    if (root_has_orphan(root)) /* its lock is good, whatever was asked for */
        return false;
    if (!known && !command_given(root->run->ctx, "--break-lock")) {
        error_set_hint(&root->err,
                       "When nothing is at work on this deployment any more, the lock is left over from a "
                       "run that was killed: give --break-lock");
        return false;
    }
    const char *const arguments[] = {"force-unlock", "-force", "-no-color", id, NULL};
    int code = terraform_capture(&root->run->terraform, root->folder, arguments, &said, &root->err);
    buf_deinit(&said);
    return code == 0;
}

static void run_apply(struct run_root *root, const char *timeout)
{
    const char *arguments[] = {"apply", "-json", "-input=false", timeout, root->plan, NULL};
    int status = 0;
    struct tf_watch watch = watch_of(root, "apply");
    root->failed = false;
    if (terraform_run(&root->run->terraform, root->folder, arguments, root->log, &watch, &status,
                      &root->err) ||
        status)
        (void)root_fail(root, "apply");
}

void root_refuse(struct run_root *root, const char *why)
{
    root->failed = true;
    root->left = LEFT_REFUSED;
    (void)error_set(&root->err, ERR_CONFLICT,
                    "%s: the saved plan no longer holds: its state has moved since; nothing was changed",
                    root->name);
    error_set_detail(&root->err, "%s", why);
    error_set_hint(&root->err, "Plan again with `fraiseql deploy plan %s --out %s` and look at what it shows",
                   root->run->ctx->file, command_value(root->run->ctx, "--plan"));
}

/* A saved plan is done exactly or not at all, and terraform begins nothing of one that is stale: one whose
 * state has moved after it was looked at. */
static void refuse_stale(struct run_root *root)
{
    if (!root->failed || !command_value(root->run->ctx, "--plan") || !root->problem_count ||
        !strstr(root->problems[0].summary, "plan is stale"))
        return;
    root_refuse(
        root, arena_printf(root->arena, "%s says: %s", root->run->terraform.name, root->problems[0].summary));
}

void root_apply(struct run_root *root)
{
    struct error trouble = {0};
    (void)pthread_mutex_lock(&root->run->lock);
    root->done = 0;
    /* A replacement is two operations of terraform. */
    root->total = (uint64_t)(root_changes(root) - root->restated + root->replace);
    (void)pthread_mutex_unlock(&root->run->lock);
    if (run_journal_begin(root->run->journal, "apply", root->name, &root->err)) {
        root->failed = true;
        return;
    }
    root->planned = false; /* a plan is good for one apply */
    bool no_wait = root_was_interrupted(root) || command_given(root->run->ctx, "--break-lock");
    run_apply(root, no_wait ? "-lock-timeout=0s" : LOCK_TIMEOUT);
    if (root->failed && break_lock(root))
        run_apply(root, LOCK_TIMEOUT);
    refuse_stale(root);
    root->applied = !root->failed;
    const char *outcome = !root->failed ? "ok" : root->left == LEFT_REFUSED ? RUN_REFUSED : "failed";
    (void)run_journal_end(root->run->journal, "apply", root->name, outcome,
                          root->failed ? root->err.message : "", &trouble);
}
