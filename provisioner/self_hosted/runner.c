#include "provisioner/self_hosted/runner.h"

#include "lib/core/crypto.h"

#include <errno.h>
#include <stdio.h>

#define SCRIPT_MAX    (256UL * 1024)
#define COMPACT_BYTES (512UL * 1024)
#define PROBE_BYTES   (40UL * 1024) /* of checks in one script; quoting makes them longer */
#define INPUT_MAX     (256UL * 1024 * 1024)
#define OUTPUT_MAX    (1024UL * 1024)

static const char *lock_of(const struct runner *runner)
{
    return arena_printf(runner->arena, "/run/fraiseql-%s-%s.lock", runner->layout->deployment,
                        runner->layout->region);
}

static const char *ledger_of(const struct runner *runner)
{
    return arena_printf(runner->arena, "%s/ledger.jsonl", runner->layout->base);
}

/* The same text for every step of a region. */
static void put_functions(const struct runner *runner, struct buf *out)
{
    buf_printf(
        out,
        "base=%s\nledger=%s\n"
        "record() {\n  mkdir -p \"$base\"\n"
        "  if [ -s \"$ledger\" ] && [ -n \"$(tail -c 1 \"$ledger\")\" ]; then echo >> \"$ledger\"; fi\n"
        "  head -c \"$1\" >> \"$ledger\"\n  sync \"$ledger\"\n}\n"
        "put() {\n  mkdir -p \"${2%%/*}\"\n  rm -f \"$2\".fraiseql-new\n"
        "  ( umask 077; head -c \"$1\" > \"$2\".fraiseql-new )\n"
        "  [ \"$(stat -c %%s \"$2\".fraiseql-new)\" = \"$1\" ] || fail \"$2 did not arrive whole\"\n"
        "  chown \"$4\" \"$2\".fraiseql-new\n  chmod \"$3\" \"$2\".fraiseql-new\n"
        "  sync \"$2\".fraiseql-new\n  mv -f \"$2\".fraiseql-new \"$2\"\n}\n",
        step_quote(runner->arena, runner->layout->base), step_quote(runner->arena, ledger_of(runner)));
}

static int do_script(const struct runner *runner, struct buf *script, struct buf *input, bool locked,
                     int64_t timeout_ns, struct error *err)
{
    const struct host_script request = {.text = buf_text(script),
                                        .netns = runner->layout->netns,
                                        .lock = locked ? lock_of(runner) : NULL,
                                        .input = input ? buf_str(input) : (struct str){0},
                                        .timeout_ns = timeout_ns,
                                        .note = runner->note,
                                        .note_ctx = runner->note_ctx};
    if (script->failed || (input && input->failed))
        return error_set(err, ERR_LIMIT, "a step's script or files are larger than this version takes");
    return host_do(runner->host, &request, NULL, err);
}

/* --- ledger
 * ------------------------------------------------------------------------------------------------- */

#define WAIT_NS (1200 * NS_PER_S)

static int read_locked(const struct runner *runner, struct buf *bytes, struct error *err)
{
    const struct host_script request = {.text = arena_printf(runner->arena, "head -c %lu < %s\n",
                                                             LEDGER_MAX_BYTES,
                                                             step_quote(runner->arena, ledger_of(runner))),
                                        .lock = lock_of(runner),
                                        .timeout_ns = WAIT_NS};
    if (runner->note)
        runner->note(runner->note_ctx, "what an earlier run left running");
    buf_reset(bytes);
    return host_do(runner->host, &request, bytes, err);
}

/* Every change adds lines: where most of them say what no longer holds, those that do are written anew. */
static int compact(const struct runner *runner, const struct ledger *ledger, size_t bytes, struct error *err)
{
    struct buf lines = BUF_INIT(LEDGER_MAX_BYTES);
    int code = 0;
    ledger_put_all(&lines, ledger);
    if (!lines.failed && lines.len < bytes / 2)
        code = host_put(runner->host, ledger_of(runner), buf_str(&lines), 0644, "root:root", err);
    buf_deinit(&lines);
    return code;
}

int runner_ledger(const struct runner *runner, bool wait, struct ledger *ret, struct error *err)
{
    struct buf bytes = BUF_INIT(LEDGER_MAX_BYTES + 1);
    int code = host_get(runner->host, ledger_of(runner), LEDGER_MAX_BYTES, &bytes, err);
    if (!code && wait)
        code = read_locked(runner, &bytes, err);
    *ret = (struct ledger){.arena = runner->arena};
    if (code == -ENOENT) {
        error_clear(err);
        code = 0;
    } else if (!code) {
        ledger_read(runner->arena, buf_str(&bytes), ret);
    }
    size_t length = bytes.len;
    buf_deinit(&bytes);
    bool ours = ret->deployment && strcmp(ret->deployment, runner->deployment_id) == 0;
    if (!code && wait && ours && length > COMPACT_BYTES)
        code = compact(runner, ret, length, err);
    if (code || !ret->deployment || strcmp(ret->deployment, runner->deployment_id) == 0)
        return code;
    (void)error_set(err, ERR_CONFLICT,
                    "%s: a deployment named \"%s\" with this region stands there already, and is not "
                    "this one",
                    host_name(runner->host), runner->layout->deployment);
    error_set_detail(err, "its id is %.40s, ours is %s", ret->deployment, runner->deployment_id);
    error_set_hint(err, "Deploy from the folder that has its .fraiseql/%s, or choose another metadata.name",
                   runner->layout->deployment);
    return ERR_CONFLICT;
}

/* --- asking
 * ------------------------------------------------------------------------------------------------- */

/* "7 ok", or "7 " and what is wrong. The subshell is no part of a condition: in one, `set -e` would not hold.
 */
static void put_probe(const struct runner *runner, size_t number, const struct host_step *step,
                      struct buf *out)
{
    buf_printf(out, "wrong=\n");
    for (size_t i = 0; i < step->file_count; i++) {
        const struct step_file *file = &step->files[i];
        unsigned char digest[CRYPTO_SHA256_BYTES];
        char text[2 * CRYPTO_SHA256_BYTES + 1];
        crypto_sha256(file->content, digest);
        for (size_t j = 0; j < sizeof digest; j++)
            (void)snprintf(text + 2 * j, 3, "%02x", digest[j]);
        buf_printf(out, "same %s %s %o %s\n", step_quote(runner->arena, file->path), text, file->mode,
                   file->owner);
    }
    if (step->check)
        buf_printf(out,
                   "if [ -z \"$wrong\" ]; then\n  set +e\n  ( set -e\n%s\n) >/dev/null 2>&1 </dev/null\n"
                   "  [ $? = 0 ] || wrong='it does not stand as it was left'\n  set -e\nfi\n",
                   step->check);
    buf_printf(out, "echo \"%zu ${wrong:-ok}\"\n", number);
}

static const char same_function[] =
    "same() {\n  if [ ! -f \"$1\" ]; then wrong=\"$1 is gone\"\n"
    "  elif [ \"$(sha256sum < \"$1\" | cut -c1-64) $(stat -c '%a %U:%G' \"$1\")\" != \"$2 $3 $4\" ]; then\n"
    "    wrong=\"$1 was changed\"\n  fi\n}\n";

static void take_answers(const struct runner *runner, struct str out, size_t count, const char **found)
{
    while (out.len) {
        const char *end = memchr(out.ptr, '\n', out.len);
        struct str line = {out.ptr, end ? (size_t)(end - out.ptr) : out.len};
        const char *space = memchr(line.ptr, ' ', line.len);
        uint64_t number;
        if (space && str_to_u64((struct str){line.ptr, (size_t)(space - line.ptr)}, &number) &&
            number < count) {
            struct str answer = {space + 1, line.len - (size_t)(space + 1 - line.ptr)};
            found[number] = str_equal_text(answer, "ok") ? NULL : arena_strdup(runner->arena, answer);
        }
        size_t used = line.len + (end != NULL);
        out.ptr += used;
        out.len -= used;
    }
}

static int ask(const struct runner *runner, struct buf *script, size_t count, const char **found,
               struct error *err)
{
    struct buf out = BUF_INIT(OUTPUT_MAX);
    const struct host_script request = {.text = buf_text(script), .netns = runner->layout->netns};
    int code = script->failed ? error_set(err, ERR_LIMIT, "the checks of this region are too long")
                              : host_do(runner->host, &request, &out, err);
    if (!code)
        take_answers(runner, buf_str(&out), count, found);
    buf_deinit(&out);
    return code;
}

int runner_probe(const struct runner *runner, const struct step_list *steps, const struct ledger *ledger,
                 const char **found, struct error *err)
{
    struct buf script = BUF_INIT(SCRIPT_MAX);
    int code = 0;
    bool any = false;
    for (size_t i = 0; !code && i < steps->count; i++) {
        found[i] = NULL;
        if (!compare_needs_probe(&steps->items[i], ledger_find(ledger, steps->items[i].id)))
            continue;
        if (!any) {
            buf_reset(&script);
            put_functions(runner, &script);
            buf_append_text(&script, same_function);
        }
        any = true;
        /* What gives no answer does not stand. */
        found[i] = "it could not be asked";
        put_probe(runner, i, &steps->items[i], &script);
        if (script.len > PROBE_BYTES) {
            code = ask(runner, &script, steps->count, found, err);
            any = false;
        }
    }
    if (!code && any)
        code = ask(runner, &script, steps->count, found, err);
    buf_deinit(&script);
    return code;
}

int runner_stands(const struct runner *runner, const struct host_step *step, bool *ret, struct error *err)
{
    const char *found[1] = {"it could not be asked"};
    struct buf script = BUF_INIT(SCRIPT_MAX);
    put_functions(runner, &script);
    buf_append_text(&script, same_function);
    put_probe(runner, 0, step, &script);
    int code = ask(runner, &script, 1, found, err);
    buf_deinit(&script);
    *ret = !found[0];
    return code;
}

/* --- doing
 * ------------------------------------------------------------------------------------------------- */

static bool had_file(const struct ledger_entry *before, const char *path)
{
    for (size_t i = 0; before && i < before->files.count; i++) {
        if (strcmp(before->files.items[i], path) == 0)
            return true;
    }
    return false;
}

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* What must hold before anything is changed. */
static void put_guards(const struct runner *runner, const struct host_step *step,
                       const struct ledger_entry *before, struct buf *script)
{
    if (step->guard && !before)
        buf_printf(script, "(\n%s\n) </dev/null\n", step->guard);
    for (size_t i = 0; i < step->file_count; i++) {
        const char *path = step->files[i].path;
        if (had_file(before, path) || is_below(path, runner->layout->base) ||
            is_below(path, runner->layout->run))
            continue;
        const char *quoted = step_quote(runner->arena, path);
        buf_printf(
            script, "[ ! -e %s ] || fail %s\n", quoted,
            step_quote(runner->arena, arena_printf(runner->arena, "%s is there and is not ours", path)));
    }
}

static void put_stale(const struct runner *runner, const struct host_step *step,
                      const struct ledger_entry *before, struct buf *script)
{
    for (size_t i = 0; before && i < before->files.count; i++) {
        bool wanted = false;
        for (size_t j = 0; j < step->file_count; j++)
            wanted = wanted || strcmp(step->files[j].path, before->files.items[i]) == 0;
        if (!wanted)
            buf_printf(script, "rm -f %s\n", step_quote(runner->arena, before->files.items[i]));
    }
}

int runner_apply(const struct runner *runner, const struct host_step *step, const struct ledger_entry *before,
                 bool first, struct error *err)
{
    struct buf script = BUF_INIT(SCRIPT_MAX), input = BUF_INIT(INPUT_MAX);
    put_functions(runner, &script);
    put_guards(runner, step, before, &script);
    if (first)
        ledger_put_owner(&input, runner->deployment_id);
    ledger_put_begin(&input, step, before, runner->layout->netns);
    buf_printf(&script, "record %zu\n", input.len);
    for (size_t i = 0; i < step->file_count; i++) {
        const struct step_file *file = &step->files[i];
        buf_append_str(&input, file->content);
        buf_printf(&script, "put %zu %s %o %s\n", file->content.len, step_quote(runner->arena, file->path),
                   file->mode, step_quote(runner->arena, file->owner));
    }
    if (step->apply)
        buf_printf(&script, "(\n%s\n) </dev/null\n", step->apply);
    put_stale(runner, step, before, &script);
    size_t so_far = input.len;
    ledger_put_done(&input, step);
    buf_printf(&script, "record %zu\n", input.len - so_far);
    int code = do_script(runner, &script, &input, true, step->timeout_ns, err);
    buf_deinit(&script);
    buf_deinit(&input);
    return code ? error_prefix(err, "%s", step->title) : 0;
}

/* Folders below the region's that files were put into go with the last of them. */
static void put_removal(const struct runner *runner, const char *path, struct buf *script)
{
    const char *quoted = step_quote(runner->arena, path), *slash = strrchr(path, '/');
    buf_printf(script, "rm -f %s %s.fraiseql-new\n", quoted, quoted);
    const char *folder = arena_strdup(runner->arena, (struct str){path, slash ? (size_t)(slash - path) : 0});
    if (is_below(folder, runner->layout->base))
        buf_printf(script, "rmdir %s 2>/dev/null || true\n", step_quote(runner->arena, folder));
}

int runner_undo(const struct runner *runner, const struct ledger_entry *entry, struct error *err)
{
    struct buf script = BUF_INIT(SCRIPT_MAX), input = BUF_INIT(INPUT_MAX);
    /* As it was when it was done, whatever the file says today. */
    struct layout layout = *runner->layout;
    struct runner then = *runner;
    layout.netns = entry->netns[0] ? entry->netns : NULL;
    then.layout = &layout;
    put_functions(runner, &script);
    if (entry->undo[0])
        buf_printf(&script, "(\n%s\n) </dev/null\n", entry->undo);
    for (size_t i = 0; i < entry->files.count; i++)
        put_removal(runner, entry->files.items[i], &script);
    ledger_put_undone(&input, entry->id);
    buf_printf(&script, "record %zu\n", input.len);
    int code = do_script(&then, &script, &input, true, 0, err);
    buf_deinit(&script);
    buf_deinit(&input);
    return code ? error_prefix(err, "undo: %s", entry->title) : 0;
}

int runner_forget(const struct runner *runner, struct error *err)
{
    const struct layout *layout = runner->layout;
    struct buf script = BUF_INIT(SCRIPT_MAX);
    buf_printf(&script,
               "rm -f %s\nrmdir %s 2>/dev/null || true\nrmdir /var/lib/fraiseql/%s 2>/dev/null || true\n"
               "rmdir /var/lib/fraiseql 2>/dev/null || true\nrm -f %s\n",
               ledger_of(runner), layout->base, layout->deployment, lock_of(runner));
    int code = do_script(runner, &script, NULL, false, 0, err);
    buf_deinit(&script);
    return code;
}
