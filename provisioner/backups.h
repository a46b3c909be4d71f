/* Backups of a region's database: the interface of struct provider, and what its implementations share.
 *
 * A restore never touches the database that runs. In a cloud it makes a new one beside it and says how to go
 * over to it: which of the two is right is for somebody to look at first. On own hosts it is `in_place`, of a
 * database that is gone or stopped.
 *
 * Everything here can be done twice. A backup is taken under a name that the caller has written down before,
 * and a second request for that name finds the first; a restore names what it makes, likewise. So a command
 * that was killed while it waited is run again and goes on waiting.
 *
 * Ownership: everything returned lives in the place's arena. Threads: as provider.h. */
#ifndef FRAISEQL_PROVISIONER_BACKUPS_H
#define FRAISEQL_PROVISIONER_BACKUPS_H

#include "provisioner/deployment.h"

#define BACKUPS_MAX      10000U
#define BACKUP_PAGES_MAX 200U
#define BACKUP_NAME_MAX  60U /* of a name that we make: what the strictest cloud takes for a database */
#define BACKUP_LABEL     "fraiseql-deployment"    /* the module's tag: whose it is */
#define BACKUP_ORIGIN    "fraiseql-restored-from" /* on what a restore has made */
#define BACKUP_TEXT_MAX  255U

enum backup_state { BACKUP_DONE, BACKUP_UNDER_WAY, BACKUP_FAILED };

struct backup {
    const char *id;   /* what the cloud knows it by, and `restore --backup` takes */
    const char *name; /* under which take() was asked for it; "" for others */
    const char *kind; /* "manual", "automated" */
    const char *said; /* the cloud's own word for its state */
    enum backup_state state;
    uint64_t size_bytes;      /* 0: the cloud does not say */
    const char *size_means;   /* "disk": of the disk it was taken from; "stored": of the backup */
    int64_t at_wall_ns;       /* what it holds is from then; 0: not known, as it is not done */
    int64_t verified_wall_ns; /* when a restore of it was last looked at; 0: never, or not known */
};

struct backup_list {
    const char *database; /* the cloud's name of the database */
    struct backup *items;
    size_t count, capacity;
    int64_t earliest_wall_ns, latest_wall_ns; /* between them any moment can be restored; 0: not known */
};

/* One database, and how long it may be waited for. */
struct backup_place {
    const struct deployment *deployment;
    const struct region *region;
    int64_t deadline_mono_ns;
    const char *kind; /* "full", "diff", "incr", of those that have `verify`; NULL: the usual one */
    struct arena *arena;
    struct error *err;
};

struct restore_wish {
    const char *into;            /* name of what is made */
    const struct backup *backup; /* NULL: the state at a moment */
    int64_t at_wall_ns;          /* the moment, or that of the backup */
    bool ours;                   /* what stands under that name already was begun by this same wish */
    bool latest;                 /* as far as there is anything, about at_wall_ns; of those in place */
    bool replace;                /* a stopped database may be moved aside; of those in place */
};

struct restored {
    const char *name, *address; /* address "" where the cloud has not said one */
    bool found;                 /* an earlier run had made it */
    struct string_list next;    /* sentences: how to go over to it, how to be rid of it */
};

struct provider_backups {
    int (*list)(const struct backup_place *place, struct backup_list *ret_list);
    /* Waits until it is done. ERR_TIMEOUT: it goes on without us. */
    int (*take)(const struct backup_place *place, const char *name, struct backup *ret_backup);
    /* Waits until the new database takes connections. ERR_CONFLICT: the name is somebody else's. */
    int (*restore)(const struct backup_place *place, const struct restore_wish *wish,
                   struct restored *ret_restored);
    bool in_place; /* restore() takes the place of the database that was */
    /* Why there is nothing to take in this region; NULL: take it. NULL: there always is something. */
    int (*idle)(const struct backup_place *place, const char **ret_why);
    /* Restores it into a scratch database and reads all of it. NULL: cannot be done. */
    int (*verify)(const struct backup_place *place, struct backup *backup);
};

/* --- the list ------------------------------------------------------------------------------------------- */

/* Texts are copied, shortened and freed of what acts on a terminal. False when the list is full. */
bool backup_list_add(struct backup_list *list, const struct backup *backup, struct arena *arena);
/* The newest first, those under way before them. */
void backup_list_sort(struct backup_list *list);
/* By id, then by name; NULL: none. */
const struct backup *backup_find(const struct backup_list *list, const char *id);
/* ERR_CONFIG with the window where the moment is outside of it, or there is none. */
int backup_window_check(const struct backup_list *list, int64_t at_wall_ns, struct error *err) CHECK_RESULT;

/* --- names ---------------------------------------------------------------------------------------------- */

/* "shop-us-east-20261126-125331": of the region's resources, and a moment. */
const char *backup_name(const struct deployment *deployment, const struct region *region, int64_t wall_ns,
                        struct arena *arena);
/* What a restore makes unless it was named: the same for the same wish. */
const char *backup_restore_name(const struct deployment *deployment, const struct region *region,
                                const struct backup *backup, int64_t at_wall_ns, struct arena *arena);
/* Lower case letters, digits and single dashes, beginning with a letter: what every cloud takes. */
bool backup_name_is_good(const char *name);

/* --- waiting -------------------------------------------------------------------------------------------- */

/* Sleeps between two looks: a second, doubling up to fifteen. ERR_TIMEOUT instead, with `what` in it, when
 * the next look would come after the deadline. */
int backup_pause(unsigned looks, int64_t deadline_mono_ns, const char *what, struct error *err) CHECK_RESULT;

/* One more sentence. */
void backup_say(struct string_list *list, struct arena *arena, const char *format, ...) PRINTF_LIKE(3, 4);
#define BACKUP_SENTENCES_MAX 8U

#endif
