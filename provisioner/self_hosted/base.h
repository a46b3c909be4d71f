/* Programs of ours that are brought along to the hosts; they lie beside `fraiseql`. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_BASE_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_BASE_H

#include "lib/core/arena.h"
#include "lib/core/error.h"

/* The bytes of one of them, in the arena. */
int base_program(const char *name, struct arena *arena, struct str *ret, struct error *err) CHECK_RESULT;

#endif
