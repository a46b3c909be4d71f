/* What the schedule of backups on a host says of itself: lines in a file, written by it and read here.
 *
 *   since SECONDS                                        backups are expected since then
 *   backup LABEL KIND SECONDS DATABASE_BYTES STORED_BYTES done|damaged     one a line; SECONDS: when it ended
 *   verified LABEL SECONDS                               a restore of it was read to the end, then
 *   attempt backup|verification SECONDS done|failed      how the last one of each ended
 *
 * Lines with another first word are passed over, so that either side may be newer. What is older than `since`
 * does not count: the log has a gap behind it.
 *
 * Pure. Threads: any. */
#ifndef FRAISEQL_SCRAPERS_BACKUP_STATUS_H
#define FRAISEQL_SCRAPERS_BACKUP_STATUS_H

#include "lib/core/error.h"
#include "lib/core/str.h"

enum backup_type { BACKUP_FULL, BACKUP_DIFFERENTIAL, BACKUP_INCREMENTAL, BACKUP_TYPE_COUNT };
enum backup_action { ACTION_BACKUP, ACTION_VERIFICATION, BACKUP_ACTION_COUNT };

/* As pgBackRest writes them, and as they are published. */
extern const char *const backup_type_names[BACKUP_TYPE_COUNT];
extern const char *const backup_action_names[BACKUP_ACTION_COUNT];

/* Times are seconds since 1970; 0: there is none. */
struct backup_newest {
    uint64_t ended_s, database_bytes, stored_bytes;
};
struct backup_attempt {
    uint64_t ended_s;
    bool done;
};
struct backup_status {
    uint64_t since_s;
    struct backup_newest newest[BACKUP_TYPE_COUNT]; /* not the damaged ones */
    struct backup_newest verified;                  /* the newest of those that were */
    struct backup_attempt attempts[BACKUP_ACTION_COUNT];
};

/* ERR_PARSE when it says nothing of since when, or a line of ours is malformed. */
int backup_status_read(struct str text, struct backup_status *ret, struct error *err) CHECK_RESULT;
/* When the newest backup of any type ended; 0: there is none. */
uint64_t backup_status_newest_s(const struct backup_status *status);

#endif
