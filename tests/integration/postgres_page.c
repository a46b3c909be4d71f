/* postgres_page DSN [new|legacy|both]: scrapes a server twice and prints what would be on the page. Ends with
 * 1 when the scrape or one of its groups failed. For tests/integration/postgres_versions.sh. */
#include "tests/integration/postgres_live.h"

#include "scrapers/postgres/query.h"

#include <stdlib.h>

static enum postgres_names names = NAMES_BOTH;

static void change(struct postgres_config *config)
{
    static const char *collect[] = {"statements", "statio_user_indexes"};

    config->names = (int)names;
    config->collect = (struct string_list){2, collect};
}

int main(int argc, char **argv)
{
    struct live live;

    if (argc < 2) {
        (void)fprintf(stderr, "usage: postgres_page DSN [new|legacy|both]\n");
        return 64;
    }
    if (argc > 2)
        names = strcmp(argv[2], "new") == 0      ? NAMES_NEW
                : strcmp(argv[2], "legacy") == 0 ? NAMES_LEGACY
                                                 : NAMES_BOTH;
    live_init(&live);
    struct live_target *target = live_target_new(&live, "page", NULL, argv[1], change);
    live_scrape(target);
    live_run(&live, 500 * NS_PER_MS);
    live_scrape(target);
    char *page = live_page(&live, NULL);
    (void)fputs(page, stdout);
    free(page);
    bool failed =
        target->err.code != 0 || live_value(&live, NULL, "pg_exporter_last_scrape_error", NULL) != 0;
    if (target->err.code)
        (void)fprintf(stderr, "%s\n", target->err.message);
    live_target_free(target);
    live_deinit(&live);
    return failed;
}
