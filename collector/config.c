#include "collector/config_internal.h"

#include "lib/core/file.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_INCLUDED_FILES 1000

struct included {
    const char *path;
    struct config_file file;
    bool refused;
};

struct loading {
    struct config *config;
    struct config_file main;
    struct included *included;
    size_t included_count;
    struct diag *diag;
};

static struct counter generations;

struct config *config_ref(struct config *config)
{
    refcount_get(&config->refs);
    return config;
}

struct config *config_unref(struct config *config)
{
    if (config && refcount_put(&config->refs)) {
        arena_free(config->arena);
        free(config);
    }
    return NULL;
}

void *config_element(const struct section_list *list, const struct option_section *section, size_t i)
{
    return (char *)list->items + i * section->size;
}

/* --- files
 * ---------------------------------------------------------------------------------------------------- */

static const char *resolve_path(struct arena *arena, const char *main_path, const char *pattern)
{
    const char *slash = strrchr(main_path, '/');
    if (pattern[0] == '/' || !slash)
        return pattern;
    return arena_printf(arena, "%.*s/%s", (int)(slash - main_path), main_path, pattern);
}

static int parse_file(struct arena *arena, const char *path, const struct option_section *section,
                      struct config_file *file, struct diag *diag)
{
    struct node *root;
    int code = yaml_load(arena, path, &root, diag);
    return code ? code : option_parse(section, root, arena, file, diag);
}

static void move_items(struct diag *to, const struct diag *from, enum diag_severity as)
{
    for (size_t i = 0; i < from->count; i++)
        diag_add_error(to, from->items[i].severity == DIAG_ERROR ? as : DIAG_WARNING, &from->items[i].error);
}

static void add_included(struct loading *loading, const char *path)
{
    struct arena *arena = loading->config->arena;
    for (size_t i = 0; i < loading->included_count; i++) {
        if (strcmp(loading->included[i].path, path) == 0)
            return;
    }
    if (loading->included_count == MAX_INCLUDED_FILES) {
        (void)diag_add(loading->diag, DIAG_WARNING, path, 0, 0, "left out: more than %d files are included",
                       MAX_INCLUDED_FILES);
        return;
    }
    struct included *included = &loading->included[loading->included_count++];
    *included = (struct included){.path = arena_strdup(arena, str_from(path))};
    struct diag own;
    diag_init(&own);
    included->refused =
        parse_file(arena, included->path, config_include_section(), &included->file, &own) != 0;
    move_items(loading->diag, &own, DIAG_WARNING);
    if (included->refused)
        (void)diag_add(
            loading->diag, DIAG_WARNING, included->path, 0, 0,
            "this included file is refused as a whole; the rest of the configuration goes on without it");
    diag_deinit(&own);
}

static void read_includes(struct loading *loading)
{
    struct arena *arena = loading->config->arena;
    const struct string_list *patterns = &loading->main.include;
    loading->included = arena_zalloc(arena, MAX_INCLUDED_FILES * sizeof *loading->included);
    for (size_t i = 0; i < patterns->count; i++) {
        glob_t found = {0};
        const char *pattern = resolve_path(arena, loading->config->path, patterns->items[i]);
        if (glob(pattern, 0, NULL, &found) == 0) {
            for (size_t j = 0; j < found.gl_pathc; j++)
                add_included(loading, found.gl_pathv[j]);
        }
        globfree(&found);
    }
}

/* --- the sum of all files
 * ------------------------------------------------------------------------------------- */

static void append_list(struct arena *arena, struct section_list *into, const struct section_list *from,
                        size_t size)
{
    if (!from->count)
        return;
    char *items = arena_alloc(arena, (into->count + from->count) * size);
    if (into->count)
        memcpy(items, into->items, into->count * size);
    memcpy(items + into->count * size, from->items, from->count * size);
    into->items = items;
    into->count += from->count;
}

static size_t element_size(const char *list)
{
    const struct option_section *section = config_section();
    for (size_t i = 0; i < section->option_count; i++) {
        if (strcmp(section->options[i].name, list) == 0)
            return section->options[i].section->size;
    }
    abort();
}

static void append_file(struct arena *arena, struct config_file *all, const struct config_file *file)
{
    append_list(arena, &all->regions, &file->regions, sizeof(struct config_region));
    for (size_t k = 0; scraper_kinds[k]; k++)
        append_list(arena, &all->scrapers[k], &file->scrapers[k], scraper_kinds[k]->section->size);
    append_list(arena, &all->probes, &file->probes, element_size("probes"));
    append_list(arena, &all->slos, &file->slos, element_size("slos"));
    append_list(arena, &all->triggers, &file->triggers, element_size("triggers"));
    append_list(arena, &all->notify, &file->notify, element_size("notify"));
}

static void sum_files(struct loading *loading)
{
    struct config *config = loading->config;
    config->all = loading->main;
    config->files_accepted = 1;
    config->files_refused = 0;
    for (size_t i = 0; i < loading->included_count; i++) {
        if (loading->included[i].refused) {
            config->files_refused++;
            continue;
        }
        append_file(config->arena, &config->all, &loading->included[i].file);
        config->files_accepted++;
    }
}

static struct included *find_included(struct loading *loading, const char *path)
{
    for (size_t i = 0; i < loading->included_count; i++) {
        if (strcmp(loading->included[i].path, path) == 0)
            return &loading->included[i];
    }
    return NULL;
}

/* Checks the sum; an error that stands in an included file refuses that file and the rest is checked again.
 */
static int check_sum(struct loading *loading)
{
    for (;;) {
        struct diag found;
        diag_init(&found);
        sum_files(loading);
        config_complete_probes(&loading->config->all, loading->config->arena);
        config_check(&loading->config->all, loading->config->arena, &found);
        bool refused_one = false, main_broken = false;
        for (size_t i = 0; i < found.count; i++) {
            /* What has no place concerns sections that only the main file may have. */
            if (!found.items[i].error.file[0])
                error_set_position(&found.items[i].error, loading->config->path, 0, 0);
            if (found.items[i].severity != DIAG_ERROR)
                continue;
            struct included *included = find_included(loading, found.items[i].error.file);
            main_broken |= !included;
            if (included && !included->refused) {
                included->refused = refused_one = true;
                (void)diag_add(loading->diag, DIAG_WARNING, included->path, 0, 0,
                               "this included file is refused as a whole; the rest goes on without it");
            }
        }
        if (main_broken || !refused_one) {
            move_items(loading->diag, &found, DIAG_ERROR);
            diag_deinit(&found);
            return main_broken ? ERR_CONFIG : 0;
        }
        for (size_t i = 0; i < found.count; i++) {
            if (find_included(loading, found.items[i].error.file))
                diag_add_error(loading->diag, DIAG_WARNING, &found.items[i].error);
        }
        diag_deinit(&found);
    }
}

static int load(struct loading *loading)
{
    struct config *config = loading->config;
    int code = parse_file(config->arena, config->path, config_section(), &loading->main, loading->diag);
    if (code)
        return code;
    read_includes(loading);
    code = check_sum(loading);
    if (code)
        return code;
    config_complete(&config->all, config->arena);
    return 0;
}

int config_load(const char *path, bool strict, struct config **ret_config, struct diag *diag)
{
    struct config *config = xcalloc(1, sizeof *config);
    refcount_init(&config->refs);
    config->arena = arena_new(0);
    config->path = arena_strdup(config->arena, str_from(path));
    config->generation = counter_draw(&generations, 1) + 1;
    struct loading loading = {.config = config, .diag = diag};
    int code = load(&loading);
    if (!code && strict && config->files_refused) {
        (void)diag_add(diag, DIAG_ERROR, path, 0, 0, "%zu included file%s refused", config->files_refused,
                       config->files_refused == 1 ? " is" : "s are");
        code = ERR_CONFIG;
    }
    diag_sort(diag);
    if (code) {
        (void)config_unref(config);
        return ERR_CONFIG;
    }
    *ret_config = config;
    return 0;
}

void config_dump(const struct config *config, struct buf *out)
{
    option_dump(config_section(), &config->all, out, 0);
}

bool config_needs_restart(const struct config *before, const struct config *after, char path[NODE_PATH_MAX])
{
    return option_needs_restart(config_section(), &before->all, &after->all, path);
}

bool config_address_is_loopback(const struct address_option *address)
{
    return address->host && (strncmp(address->host, "127.", 4) == 0 || strcmp(address->host, "::1") == 0 ||
                             strcmp(address->host, "localhost") == 0);
}
