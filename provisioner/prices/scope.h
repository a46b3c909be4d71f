/* What a refresh asks for: the places of one cloud, its types, and what it sells for the whole deployment.
 *
 * Ownership: everything lives in the arena given. Threads: immutable once made. */
#ifndef FRAISEQL_PROVISIONER_PRICES_SCOPE_H
#define FRAISEQL_PROVISIONER_PRICES_SCOPE_H

#include "lib/core/map.h"
#include "provisioner/catalog/catalog.h"

struct prices_scope {
    const char *provider;
    struct string_list locations;
    struct string_list
        peers;        /* the locations that traffic goes to, those that are not asked for among them */
    struct map types; /* struct instance_type by name, machines and database classes */
    bool whole;       /* all that the catalog knows */
    bool dns;         /* the cloud's names, wherever the regions are */
};

/* All that the catalog knows of the provider. */
void prices_scope_all(struct prices_scope *scope, const char *provider, struct arena *arena);
/* What the regions of a deployment use, with the portable sizes and the gateway's machine. `names` restricts
 * it to regions; empty: all. Neither a location nor names: the deployment does not use the provider. */
void prices_scope_of(struct prices_scope *scope, const char *provider, const struct deployment *deployment,
                     const struct string_list *names, struct arena *arena);
void prices_scope_deinit(struct prices_scope *scope);

bool prices_scope_is_empty(const struct prices_scope *scope);
bool prices_scope_has_location(const struct prices_scope *scope, struct str name);
/* NULL: not asked for. */
const struct instance_type *prices_scope_type(const struct prices_scope *scope, struct str name);

#endif
