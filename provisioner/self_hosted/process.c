/* A kept process as a step. Whether systemd runs is known on the host only, so the step puts both
 * descriptions, and its scripts choose.
 *
 * What a process was last started with is in layout.run/NAME.applied: the hash of its description, and that
 * of what it watches. */
#include "provisioner/self_hosted/component.h"

#include <ctype.h>
#include <signal.h>

#define TEXT_MAX         (256UL * 1024)
#define READY_DEFAULT_NS (30 * NS_PER_S)
#define STOP_DEFAULT_NS  (30 * NS_PER_S)

struct described {
    const struct layout *layout;
    const struct host_process *process;
    struct arena *arena;
    const char *description, *unit_file, *unit; /* paths, and the unit's name */
};

static const char *taken(struct arena *arena, struct buf *text)
{
    const char *copy = arena_strdup(arena, buf_str(text));
    buf_deinit(text);
    return copy;
}

static int64_t seconds(int64_t ns, int64_t otherwise_ns)
{
    return ((ns ? ns : otherwise_ns) + NS_PER_S - 1) / NS_PER_S;
}

/* For the supervisor: "key value" a line, a backslash before backslashes and as \n for line ends. */
static void put_line(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, "%s ", key);
    for (const char *at = value; *at; at++) {
        if (*at == '\n')
            buf_append_text(out, "\\n");
        else if (*at == '\\')
            buf_append_text(out, "\\\\");
        else
            buf_append_byte(out, *at);
    }
    buf_append_byte(out, '\n');
}

static const char *description_of(const struct described *d)
{
    const struct host_process *process = d->process;
    struct buf out = BUF_INIT(TEXT_MAX);
    put_line(&out, "user", process->user ? process->user : "root");
    for (size_t i = 0; process->argv[i]; i++)
        put_line(&out, "arg", process->argv[i]);
    if (process->environment_file)
        put_line(&out, "environment-file", process->environment_file);
    for (size_t i = 0; process->capabilities && process->capabilities[i]; i++)
        put_line(&out, "capability", process->capabilities[i]);
    put_line(&out, "log", arena_printf(d->arena, "%s/%s.log", d->layout->log, process->name));
    buf_printf(&out, "stop-signal %d\n", process->stop_signal ? process->stop_signal : SIGTERM);
    buf_printf(&out, "stop-timeout-s %lld\n", (long long)seconds(process->stop_timeout_ns, STOP_DEFAULT_NS));
    return taken(d->arena, &out);
}

/* systemd.service(5), "Quoting": quotes take what is between them but for \ and %, and $ of Exec lines. */
static void put_quoted(struct buf *out, const char *text)
{
    buf_append_byte(out, '"');
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\')
            buf_append_byte(out, '\\');
        if (*at == '%' || *at == '$')
            buf_append_byte(out, *at);
        if (*at == '\n')
            buf_append_text(out, "\\n");
        else
            buf_append_byte(out, *at);
    }
    buf_append_byte(out, '"');
}

static const char *unit_of(const struct described *d)
{
    const struct host_process *process = d->process;
    struct buf out = BUF_INIT(TEXT_MAX);
    buf_printf(&out,
               "[Unit]\nDescription=%s of region %s (FraiseQL deployment %s)\nAfter=network.target\n"
               "StartLimitIntervalSec=0\n\n[Service]\nType=exec\nExecStart=",
               process->name, d->layout->region, d->layout->deployment);
    for (size_t i = 0; process->argv[i]; i++) {
        buf_append_text(&out, i ? " " : "");
        put_quoted(&out, process->argv[i]);
    }
    buf_printf(&out, "\nUser=%s\n", process->user ? process->user : "root");
    if (process->environment_file)
        buf_printf(&out, "EnvironmentFile=%s\n", process->environment_file);
    if (process->capabilities) {
        buf_append_text(&out, "AmbientCapabilities=");
        for (size_t i = 0; process->capabilities[i]; i++)
            buf_printf(&out, "%sCAP_%s", i ? " " : "", process->capabilities[i]);
        buf_append_byte(&out, '\n');
    }
    if (d->layout->netns)
        buf_printf(&out, "NetworkNamespacePath=/run/netns/%s\n", d->layout->netns);
    if (process->run_folder)
        buf_printf(&out, "RuntimeDirectory=%s/%s\nRuntimeDirectoryMode=%04o\nRuntimeDirectoryPreserve=yes\n",
                   d->layout->run + sizeof "/run/" - 1, process->run_folder, process->run_folder_mode);
    buf_printf(&out, "StandardOutput=append:%s/%s.log\nStandardError=inherit\n", d->layout->log,
               process->name);
    buf_printf(&out,
               "KillMode=mixed\nKillSignal=%d\nTimeoutStopSec=%lld\nRestart=always\nRestartSec=1\n"
               "LimitNOFILE=65536\n\n[Install]\nWantedBy=multi-user.target\n",
               process->stop_signal ? process->stop_signal : SIGTERM,
               (long long)seconds(process->stop_timeout_ns, STOP_DEFAULT_NS));
    return taken(d->arena, &out);
}

/* Functions that the scripts of a process share. */
static const char *common_of(const struct described *d)
{
    const struct layout *layout = d->layout;
    const char *name = d->process->name;
    struct buf out = BUF_INIT(TEXT_MAX);
    buf_printf(&out,
               "unit=%s\napplied=%s/%s.applied\n"
               "by_systemd() { [ -d /run/systemd/system ]; }\n"
               "control() { %s/fraiseql-supervisor control %s \"$@\"; }\n"
               "up() { if by_systemd; then systemctl is-active --quiet \"$unit\"; else control up %s; fi; }\n"
               "signal() { if by_systemd; then systemctl kill --kill-who=main -s \"$1\" \"$unit\"; else "
               "control signal %s "
               "\"$1\"; fi; }\n",
               d->unit, layout->run, name, layout->bin, layout->run, name, name);
    buf_printf(&out, "sums() {\n  described=$(sha256sum < %s | cut -c1-64)\n  watched=$(cat", d->description);
    for (size_t i = 0; d->process->watches && d->process->watches[i]; i++)
        buf_printf(&out, " %s", step_quote(d->arena, d->process->watches[i]));
    buf_append_text(&out, " </dev/null 2>/dev/null | sha256sum | cut -c1-64)\n"
                          "  last=$(cat \"$applied\" 2>/dev/null || true)\n}\n");
    return taken(d->arena, &out);
}

static const char *apply_of(const struct described *d, const char *common)
{
    const char *name = d->process->name;
    struct buf out = BUF_INIT(TEXT_MAX);
    buf_append_text(&out, common);
    buf_printf(&out,
               "restart() {\n  rm -f \"$applied\"\n  if by_systemd; then\n"
               "    install -m 644 %s \"/etc/systemd/system/$unit\"\n    systemctl daemon-reload\n"
               "    systemctl enable --quiet \"$unit\"\n    systemctl restart \"$unit\"\n"
               "  else\n    control restart %s\n  fi\n}\n",
               d->unit_file, name);
    buf_printf(&out, "reload() {\n%s\n}\n", d->process->reload ? d->process->reload : "restart");
    buf_append_text(&out,
                    "sums\nif ! up; then restart\nelif [ \"$last\" = \"$described $watched\" ]; then :\n"
                    "elif [ \"${last%% *}\" = \"$described\" ]; then reload\nelse restart\nfi\n");
    if (d->process->ready)
        buf_printf(&out, "ready() {\n%s\n}\n", d->process->ready);
    else
        buf_append_text(&out, "ready() { up; }\n");
    buf_printf(
        &out,
        "until_s=$(($(date +%%s) + %lld))\ndown=0\n"
        "until ( ready ) >/dev/null 2>&1; do\n"
        "  if up; then down=0; else down=$((down + 1)); fi\n"
        "  [ $down -lt 200 ] || fail \"%s does not stay up; its log ends: "
        "$(tail -n 3 %s/%s.log 2>/dev/null | tr '\\n' '|')\"\n"
        "  [ \"$(date +%%s)\" -le \"$until_s\" ] || fail \"%s is not ready after %lld s; its log ends: "
        "$(tail -n 3 %s/%s.log 2>/dev/null | tr '\\n' '|')\"\n"
        "  sleep 0.05\ndone\n"
        "printf '%%s %%s\\n' \"$described\" \"$watched\" > \"$applied\"\n",
        (long long)seconds(d->process->ready_timeout_ns, READY_DEFAULT_NS), name, d->layout->log, name, name,
        (long long)seconds(d->process->ready_timeout_ns, READY_DEFAULT_NS), d->layout->log, name);
    return taken(d->arena, &out);
}

static const char *undo_of(const struct described *d)
{
    const struct layout *layout = d->layout;
    return arena_printf(
        d->arena,
        "unit=%s\nif [ -d /run/systemd/system ]; then\n  systemctl disable --now \"$unit\" 2>/dev/null || "
        "true\n"
        "  rm -f \"/etc/systemd/system/$unit\"\n  systemctl daemon-reload\n"
        "elif [ -x %s/fraiseql-supervisor ]; then\n  %s/fraiseql-supervisor control %s forget %s\nfi\n"
        "rm -f %s/%s.applied %s/%s.log %s/%s.log.1\n",
        d->unit, layout->bin, layout->bin, layout->run, d->process->name, layout->run, d->process->name,
        layout->log, d->process->name, layout->log, d->process->name);
}

static const char *const *watches_of(struct arena *arena, const char *const *watches)
{
    size_t count = 0;
    while (watches && watches[count])
        count++;
    const char **copy = arena_zalloc(arena, (count + 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = arena_strdup(arena, str_from(watches[i]));
    return copy;
}

static const char *unit_name(struct arena *arena, const struct layout *layout, const char *name)
{
    return arena_printf(arena, "fraiseql-%s-%s-%s.service", layout->deployment, layout->region, name);
}

const char *step_process_restart(struct arena *arena, const struct site *site, const char *name)
{
    const struct layout *layout = site->layout;
    return arena_printf(arena,
                        "if [ -d /run/systemd/system ]; then systemctl restart %s; else "
                        "%s/fraiseql-supervisor control %s restart %s; fi",
                        unit_name(arena, layout, name), layout->bin, layout->run, name);
}

void step_process(struct step_list *list, const struct site *site, enum step_stage stage,
                  const struct host_process *process)
{
    const struct layout *layout = site->layout;
    struct arena *arena = list->arena;
    struct described d = {
        .layout = layout,
        .process = process,
        .arena = arena,
        .description = arena_printf(arena, "%s/process/%s.process", layout->config, process->name),
        .unit_file = arena_printf(arena, "%s/process/%s.service", layout->config, process->name),
        .unit = unit_name(arena, layout, process->name)};
    const char *common = common_of(&d);
    struct host_step *step = step_add(list, stage, arena_printf(arena, "%s/process", process->name),
                                      arena_printf(arena, "run %s", process->name));
    step_put(list, step, d.description, str_from(description_of(&d)), 0644, "root:root", false);
    step_put(list, step, d.unit_file, str_from(unit_of(&d)), 0644, "root:root", false);
    step->check = arena_printf(arena, "%sup && sums && [ \"$last\" = \"$described $watched\" ]\n", common);
    step->apply = apply_of(&d, common);
    step->undo = undo_of(&d);
    step->watches = watches_of(arena, process->watches);
    step->timeout_ns = (seconds(process->ready_timeout_ns, READY_DEFAULT_NS) +
                        seconds(process->stop_timeout_ns, STOP_DEFAULT_NS) + 60) *
                       NS_PER_S;
}
