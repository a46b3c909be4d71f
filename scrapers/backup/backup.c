#include "scrapers/backup/backup.h"

#include "lib/core/clock.h"
#include "lib/core/file.h"
#include "lib/core/limits.h"
#include "lib/metrics/batch.h"
#include "scrapers/backup/status.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define STATUS_MAX_BYTES (1024UL * 1024)
#define TARGET(member)   offsetof(struct backup_config, member)

static const struct option target_options[] = {
    SCRAPER_TARGET_OPTIONS(struct backup_config),
    {.name = "status_file",
     .type = OPT_PATH,
     .offset = TARGET(status_file),
     .required = true,
     .help = "What the schedule of backups says of itself: `backup/status` in the folder of a region on own "
             "hosts."},
};

static void check_target(const void *config_pointer, const struct node *node, struct diag *diag)
{
    const struct backup_config *config = config_pointer;
    scraper_target_check(&config->target, node, diag);
}

static const struct option_section section = {
    .name = "scrapers.backup[]",
    .help = "Backups of a region on own hosts, on the same host.",
    .size = sizeof(struct backup_config),
    .options = target_options,
    .option_count = ARRAY_LEN(target_options),
    .has_position = true,
    .position_offset = TARGET(target.position),
    .check = check_target,
};

#define GAUGE(what, text, of)                                                                                \
    {                                                                                                        \
        .name = "fraiseql_backup_" what, .type = METRIC_GAUGE, .help = (text), .unit = (of)                  \
    }

static const struct metric_desc since_desc = GAUGE(
    "expected_since_timestamp_seconds", "Since when this database is expected to be backed up.", "seconds");
static const struct metric_desc age_desc = GAUGE(
    "age_seconds", "How long ago the newest backup ended; while there is none, for how long one is expected.",
    "seconds");
static const struct metric_desc verified_age_desc = GAUGE(
    "verified_age_seconds",
    "How long ago the newest backup ended that was restored into a scratch folder and read to the end; while "
    "there is none, for how long one is expected.",
    "seconds");
static const struct metric_desc verified_desc =
    GAUGE("verified_timestamp_seconds", "When the newest verified backup ended.", "seconds");
static const struct metric_desc last_desc =
    GAUGE("last_timestamp_seconds", "When the newest backup of the type ended.", "seconds");
static const struct metric_desc database_desc =
    GAUGE("database_bytes", "Size of the database in the newest backup of the type.", "bytes");
static const struct metric_desc stored_desc =
    GAUGE("stored_bytes",
          "What the newest backup of the type takes in the repository, without those it builds on.", "bytes");
static const struct metric_desc attempt_desc =
    GAUGE("attempt_timestamp_seconds", "When the last attempt ended, successful or not.", "seconds");
static const struct metric_desc attempt_done_desc =
    GAUGE("attempt_success", "1 when the last attempt succeeded.", NULL);
static const struct metric_desc schedule_age_desc =
    GAUGE("schedule_age_seconds", "For how long the schedule of backups has said nothing.", "seconds");

struct state {
    const struct backup_config *config;
    struct batch *batch;
    struct buf text;
    struct backup_status status; /* the last that could be read */
    int64_t written_wall_ns;     /* 0: none was read yet */
};

static int create(const struct scraper_env *env, const void *config_pointer, void **ret_state,
                  struct error *err)
{
    const struct backup_config *config = config_pointer;
    (void)env;
    (void)err;
    const struct label common[] = {LABEL_TEXT("region", config->target.region),
                                   LABEL("scraper", STR("backup")),
                                   LABEL_TEXT("target", config->target.name)};
    uint64_t max_series = config->target.max_series ? config->target.max_series : LIMIT_SERIES_PER_TARGET;
    const struct batch_options options = {
        .common = common, .common_count = ARRAY_LEN(common), .max_series = (uint32_t)max_series};
    struct state *state = xcalloc(1, sizeof *state);
    state->config = config;
    state->batch = batch_new(&options);
    buf_init(&state->text, STATUS_MAX_BYTES);
    *ret_state = state;
    return 0;
}

/* A small file of this machine, read on the scrape loop. */
static int read_status(struct state *state, struct error *err)
{
    struct backup_status status;
    struct stat info;
    const char *path = state->config->status_file;
    buf_reset(&state->text);
    if (stat(path, &info) < 0)
        return error_set_errno(err, errno, "cannot look at %s", path);
    int code = file_read(path, &state->text, err);
    if (!code)
        code = backup_status_read(buf_str(&state->text), &status, err);
    if (code)
        return code;
    state->status = status;
    state->written_wall_ns = (int64_t)info.st_mtim.tv_sec * NS_PER_S + info.st_mtim.tv_nsec;
    return 0;
}

static void put_time(struct batch *batch, const struct metric_desc *desc, struct label *label, uint64_t at_s)
{
    if (at_s)
        batch_put(batch, desc, label, label ? 1 : 0, VALUE_OF_U64(at_s));
}

/* A clock that was set back makes nothing younger than new. */
static void put_age(struct batch *batch, const struct metric_desc *desc, int64_t since_ns, int64_t now_ns)
{
    int64_t age_ns = now_ns > since_ns ? now_ns - since_ns : 0;
    batch_put(batch, desc, NULL, 0, VALUE_OF_F64((double)(age_ns / NS_PER_MS) / 1000.0));
}

static void put_newest(struct batch *batch, const struct backup_status *status)
{
    for (int i = 0; i < BACKUP_TYPE_COUNT; i++) {
        const struct backup_newest *one = &status->newest[i];
        struct label label = LABEL_TEXT("backup_type", backup_type_names[i]);
        if (!one->ended_s)
            continue;
        put_time(batch, &last_desc, &label, one->ended_s);
        batch_put(batch, &database_desc, &label, 1, VALUE_OF_U64(one->database_bytes));
        batch_put(batch, &stored_desc, &label, 1, VALUE_OF_U64(one->stored_bytes));
    }
}

static void put_attempts(struct batch *batch, const struct backup_status *status)
{
    for (int i = 0; i < BACKUP_ACTION_COUNT; i++) {
        const struct backup_attempt *one = &status->attempts[i];
        struct label label = LABEL_TEXT("action", backup_action_names[i]);
        if (!one->ended_s)
            continue;
        put_time(batch, &attempt_desc, &label, one->ended_s);
        batch_put(batch, &attempt_done_desc, &label, 1, VALUE_OF_BOOL(one->done));
    }
}

static int64_t wall_ns(uint64_t seconds, uint64_t otherwise_s)
{
    uint64_t at_s = seconds ? seconds : otherwise_s;
    return at_s < (uint64_t)(INT64_MAX / NS_PER_S) ? (int64_t)at_s * NS_PER_S : INT64_MAX;
}

static struct snapshot *publish(struct state *state)
{
    const struct backup_status *status = &state->status;
    int64_t now_ns = clock_wall_ns();
    batch_begin(state->batch);
    put_time(state->batch, &since_desc, NULL, status->since_s);
    put_age(state->batch, &age_desc, wall_ns(backup_status_newest_s(status), status->since_s), now_ns);
    put_age(state->batch, &verified_age_desc, wall_ns(status->verified.ended_s, status->since_s), now_ns);
    put_time(state->batch, &verified_desc, NULL, status->verified.ended_s);
    put_age(state->batch, &schedule_age_desc, state->written_wall_ns, now_ns);
    put_newest(state->batch, status);
    put_attempts(state->batch, status);
    return batch_finish(state->batch, now_ns, clock_mono_ns());
}

static void scrape(void *state_pointer, int64_t deadline_mono_ns, scraper_done_fn *done, void *ctx)
{
    struct state *state = state_pointer;
    struct error err = {0};
    (void)deadline_mono_ns;
    int code = read_status(state, &err);
    done(ctx, state->written_wall_ns ? publish(state) : NULL, code ? &err : NULL);
}

/* Nothing is ever under way. */
static void cancel(void *state)
{
    (void)state;
}

static void destroy(void *state_pointer, loop_fn *destroyed, void *ctx)
{
    struct state *state = state_pointer;
    batch_free(state->batch);
    buf_deinit(&state->text);
    free(state);
    destroyed(ctx);
}

static void address(const void *config_pointer, char *text, size_t size)
{
    const struct backup_config *config = config_pointer;
    size_t length = strlen(config->status_file);
    if (!size)
        return;
    if (length >= size)
        length = size - 1;
    memcpy(text, config->status_file, length);
    text[length] = '\0';
}

static const char *const prefixes[] = {"fraiseql_backup_", NULL};

const struct scraper_kind backup_scraper = {
    .name = "backup",
    .section = &section,
    .prefixes = prefixes,
    .address = address,
    .create = create,
    .scrape = scrape,
    .cancel = cancel,
    .destroy = destroy,
};
