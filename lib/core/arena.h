/* Memory of one unit of work: many small objects that die together.
 *
 * Ownership: everything returned belongs to the arena and is freed by arena_free() or arena_reset().
 * Errors: running out of the machine's memory aborts the process. Passing `max_bytes` (0: no maximum)
 * returns NULL and is remembered by arena_failed(), so that a unit of work fed by outside bytes may check
 * once at its end; code that works on an arena with a maximum must cope with NULL.
 * Threads: owned by one thread at a time. */
#ifndef FRAISEQL_CORE_ARENA_H
#define FRAISEQL_CORE_ARENA_H

#include "lib/core/str.h"

struct arena;

struct arena *arena_new(size_t max_bytes);
void arena_free(struct arena *arena); /* accepts NULL */
/* Forgets every object and keeps the first block for the next unit of work. */
void arena_reset(struct arena *arena);
bool arena_failed(const struct arena *arena);
size_t arena_bytes(const struct arena *arena);

/* Aligned for any type. arena_zalloc() is zeroed, arena_alloc() is not. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);
/* Terminated copies. */
char *arena_strdup(struct arena *arena, struct str s);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

DEFINE_CLEANUP(struct arena, arena_free)

/* malloc family that aborts instead of returning NULL: for memory whose size we choose ourselves. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *pointer, size_t size);
char *xstrdup(const char *text);
char *xstrndup(struct str s);

#endif
