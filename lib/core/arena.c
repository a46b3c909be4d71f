#include "lib/core/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_BYTES     (16UL * 1024)
#define BLOCK_MAX_BYTES (1024UL * 1024)
#define ALIGNMENT       16UL

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1 /* clang */
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1 /* gcc */
#endif
#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

struct block {
    struct block *next;
    size_t size, used;
    _Alignas(16) char bytes[];
};

struct arena {
    struct block *blocks; /* newest first */
    size_t total, max_bytes, next_size;
    bool failed;
};

static NO_RETURN COLD void out_of_memory(size_t size)
{
    (void)fprintf(stderr, "fatal: out of memory allocating %zu bytes\n", size);
    abort();
}

void *xmalloc(size_t size)
{
    void *pointer = malloc(size ? size : 1);
    if (!pointer)
        out_of_memory(size);
    return pointer;
}

void *xcalloc(size_t count, size_t size)
{
    void *pointer = calloc(count ? count : 1, size ? size : 1);
    if (!pointer)
        out_of_memory(count * size);
    return pointer;
}

void *xrealloc(void *pointer, size_t size)
{
    void *moved = realloc(pointer, size ? size : 1);
    if (!moved)
        out_of_memory(size);
    return moved;
}

char *xstrndup(struct str s)
{
    char *copy = xmalloc(s.len + 1);
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

char *xstrdup(const char *text)
{
    return xstrndup(str_from(text));
}

struct arena *arena_new(size_t max_bytes)
{
    struct arena *arena = xcalloc(1, sizeof *arena);
    arena->max_bytes = max_bytes;
    arena->next_size = BLOCK_BYTES;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    for (struct block *block = arena->blocks; block;) {
        struct block *next = block->next;
        UNPOISON(block->bytes, block->size);
        free(block);
        block = next;
    }
    free(arena);
}

void arena_reset(struct arena *arena)
{
    struct block *block = arena->blocks;
    while (block && block->next) {
        struct block *next = block->next;
        UNPOISON(block->bytes, block->size);
        free(block);
        block = next;
    }
    arena->blocks = block;
    arena->total = 0;
    arena->failed = false;
    arena->next_size = BLOCK_BYTES;
    if (block) {
        block->used = 0;
        arena->total = block->size;
        POISON(block->bytes, block->size);
    }
}

bool arena_failed(const struct arena *arena)
{
    return arena->failed;
}

size_t arena_bytes(const struct arena *arena)
{
    return arena->total;
}

static bool add_block(struct arena *arena, size_t needed)
{
    size_t size = needed > arena->next_size ? needed : arena->next_size;
    if (arena->max_bytes && arena->total + size > arena->max_bytes) {
        size = needed;
        if (arena->total + size > arena->max_bytes) {
            arena->failed = true;
            return false;
        }
    }
    struct block *block = xmalloc(sizeof *block + size);
    block->size = size;
    block->used = 0;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->total += size;
    if (arena->next_size < BLOCK_MAX_BYTES)
        arena->next_size *= 2;
    POISON(block->bytes, size);
    return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded;
    if (__builtin_add_overflow(size ? size : 1, ALIGNMENT - 1, &rounded)) {
        arena->failed = true;
        return NULL;
    }
    rounded &= ~(ALIGNMENT - 1);
    if (!arena->blocks || arena->blocks->size - arena->blocks->used < rounded) {
        if (!add_block(arena, rounded))
            return NULL;
    }
    struct block *block = arena->blocks;
    void *object = block->bytes + block->used;
    block->used += rounded;
    UNPOISON(object, size ? size : 1);
    return object;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    void *object = arena_alloc(arena, size);
    if (object)
        memset(object, 0, size);
    return object;
}

char *arena_strdup(struct arena *arena, struct str s)
{
    char *copy = arena_alloc(arena, s.len + 1);
    if (!copy)
        return NULL;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : arena_alloc(arena, (size_t)length + 1);
    if (text)
        (void)vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
