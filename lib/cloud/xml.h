/* A strict reader of small XML documents, as AWS's Query protocol answers: elements and text. Attributes and
 * comments are read and dropped, CDATA is text, names keep their prefix. Refused: DOCTYPE, every entity but
 * the five predefined ones and character numbers, processing instructions other than the declaration, text
 * beside elements, and whatever is not well-formed or not UTF-8.
 *
 * Ownership: everything lives in the arena; copies made on the way are wiped. Threads: any. */
#ifndef FRAISEQL_CLOUD_XML_H
#define FRAISEQL_CLOUD_XML_H

#include "lib/core/arena.h"
#include "lib/core/error.h"

#define XML_DEPTH_MAX    32U
#define XML_ELEMENTS_MAX 100000U

struct xml {
    struct str name, text; /* text "" where there are children */
    struct xml *first, *next;
};

/* Errors: ERR_PARSE with what is wrong and at which byte; ERR_LIMIT. */
int xml_parse(struct str bytes, struct arena *arena, const struct xml **ret_root, struct error *err)
    CHECK_RESULT;

/* The first child of that name; NULL: none, or `parent` is NULL. */
const struct xml *xml_child(const struct xml *parent, const char *name);
/* Its text, terminated; "" where there is none. */
const char *xml_text(const struct xml *parent, const char *name);
/* The next sibling of the same name; NULL: none. */
const struct xml *xml_again(const struct xml *element);

#endif
