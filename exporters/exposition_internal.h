/* What a family is called on a page; see exposition_names.c. */
#ifndef FRAISEQL_EXPORTERS_EXPOSITION_INTERNAL_H
#define FRAISEQL_EXPORTERS_EXPOSITION_INTERNAL_H

#include "exporters/exposition.h"
#include "lib/core/buf.h"

struct exposition_name {
    bool left_out;
    bool stripped; /* OpenMetrics: the metadata name lacks _total or _info */
};

/* One entry a family of the view; malloc'd. */
struct exposition_name *exposition_names(const struct hub_view *view, uint64_t *ret_left_out);

/* The family's name in its OpenMetrics metadata. */
struct str exposition_metadata_name(const struct hub_family *family, const struct exposition_name *name);

/* "# HELP", "# TYPE" and, in OpenMetrics, "# UNIT" lines. */
void exposition_header(const struct hub_family *family, const struct exposition_name *name,
                       enum exposition_format format, struct buf *out);

#endif
