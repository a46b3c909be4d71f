/* What is said on HAProxy's socket: read within bounds, or refused with a line that acts on no terminal. */
#include "failover/haproxy_state.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct haproxy_state state;
    struct error err = {0};
    if (haproxy_state_read(arena, (struct str){(const char *)data, size}, &state, &err) == 0) {
        for (size_t i = 0; i < state.count; i++) {
            assert(state.servers[i].name[state.servers[i].backend_size] == '/');
            assert(haproxy_state_find(&state, state.servers[i].name));
        }
    } else {
        for (const char *text = err.message; *text; text++)
            assert(*text >= ' ' && *text < 127);
    }
    arena_free(arena);
    return 0;
}
