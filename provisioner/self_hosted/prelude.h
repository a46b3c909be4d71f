/* What is put before every script of a step (see step.h), and what comes back from it.
 *
 * Notes and the text of `fail` go by standard error as lines that begin with a mark. Pure. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_PRELUDE_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_PRELUDE_H

#include "lib/core/arena.h"
#include "lib/core/str.h"

/* The prelude with `text` after it. `netns` NULL: none. */
const char *prelude_script(struct arena *arena, const char *text, const char *netns);

enum prelude_line { LINE_PLAIN, LINE_NOTE, LINE_FAIL };
/* What a line of standard error is; *ret_text is what follows the mark. */
enum prelude_line prelude_read(struct str line, struct str *ret_text);

#endif
