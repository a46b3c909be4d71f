/* Compiler attributes and small macros that every file may use.
 *
 * C17 has no [[nodiscard]]; CHECK_RESULT is gcc's and clang's warn_unused_result. gcc does not let a
 * (void) cast silence it: do not mark a function whose result may be dropped. */
#ifndef FRAISEQL_CORE_COMPILER_H
#define FRAISEQL_CORE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECK_RESULT                  __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a)             __attribute__((format(printf, f, a)))
#define NO_RETURN                     __attribute__((noreturn))
#define UNUSED                        __attribute__((unused))
#define COLD                          __attribute__((cold, noinline))
#define likely(x)                     __builtin_expect(!!(x), 1)
#define unlikely(x)                   __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a)                  (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

/* CLEANUP(fn) runs fn(&variable) when the variable leaves scope. DEFINE_CLEANUP(type, fn) defines
 * fn_cleanup() for `type *variable`, so that CLEANUP(fn_cleanup) frees it; fn must accept NULL. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define DEFINE_CLEANUP(type, fn)                                                                             \
    static inline void UNUSED fn##_cleanup(type **pointer)                                                   \
    {                                                                                                        \
        if (*pointer)                                                                                        \
            fn(*pointer);                                                                                    \
    }

/* TAKE(pointer) moves a pointer out of a variable with a cleanup and leaves NULL behind. */
#define TAKE(pointer)                                                                                        \
    ({                                                                                                       \
        __typeof__(pointer) taken_ = (pointer);                                                              \
        (pointer) = NULL;                                                                                    \
        taken_;                                                                                              \
    })

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

#endif
