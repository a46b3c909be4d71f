#include "provisioner/finding.h"

#include "lib/core/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void findings_init(struct findings *findings, struct arena *arena)
{
    *findings = (struct findings){.arena = arena};
}

/* What a file holds goes to terminals: control characters (U+0000 to U+001F, U+007F, U+0080 to U+009F) are
 * shown as ?. A hint may have lines. */
static char *defused(char *text, bool lines)
{
    for (char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at;
        bool second = c == 0xC2 && (unsigned char)at[1] >= 0x80 && (unsigned char)at[1] < 0xA0;
        if (second)
            at[1] = '?';
        if (second || ((c < 0x20 || c == 0x7F) && !(lines && c == '\n')))
            *at = '?';
    }
    return text;
}

static char *format_in(struct arena *arena, const char *format, va_list arguments) PRINTF_LIKE(2, 0);
static char *format_in(struct arena *arena, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = arena_alloc(arena, (size_t)length + 1);
    (void)vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

static struct finding *append(struct findings *findings)
{
    if (findings->count == findings->capacity) {
        size_t capacity = findings->capacity ? 2 * findings->capacity : 16;
        struct finding *items = arena_alloc(findings->arena, capacity * sizeof *items);
        if (findings->count)
            memcpy(items, findings->items, findings->count * sizeof *items);
        findings->items = items;
        findings->capacity = capacity;
    }
    struct finding *finding = &findings->items[findings->count++];
    *finding = (struct finding){0};
    return finding;
}

static struct finding *add(struct findings *findings, enum diag_severity severity, bool contradiction,
                           const char *rule, const struct node *node)
{
    struct finding *finding = append(findings);
    finding->severity = severity;
    finding->contradiction = contradiction;
    finding->rule = rule;
    if (node) {
        finding->file = node->file;
        finding->line = node->line;
        finding->column = node->column;
    }
    if (contradiction)
        findings->contradictions++;
    else if (severity == DIAG_ERROR)
        findings->errors++;
    else
        findings->warnings++;
    return finding;
}

struct finding *findings_add(struct findings *findings, enum diag_severity severity, const char *rule,
                             const struct node *node, const char *format, ...)
{
    struct finding *finding = add(findings, severity, false, rule, node);
    va_list arguments;
    va_start(arguments, format);
    finding->message = defused(format_in(findings->arena, format, arguments), false);
    va_end(arguments);
    return finding;
}

struct finding *findings_contradict(struct findings *findings, const char *rule, const struct node *node,
                                    const char *format, ...)
{
    struct finding *finding = add(findings, DIAG_ERROR, true, rule, node);
    va_list arguments;
    va_start(arguments, format);
    finding->message = defused(format_in(findings->arena, format, arguments), false);
    va_end(arguments);
    return finding;
}

void finding_hint(struct findings *findings, struct finding *finding, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    finding->hint = defused(format_in(findings->arena, format, arguments), true);
    va_end(arguments);
}

void findings_take_diag(struct findings *findings, const char *rule, struct diag *diag)
{
    diag_sort(diag);
    for (size_t i = 0; i < diag->count; i++) {
        const struct error *err = &diag->items[i].error;
        struct finding *finding = add(findings, diag->items[i].severity, false, rule, NULL);
        finding->file = err->file[0] ? arena_strdup(findings->arena, str_from(err->file)) : NULL;
        finding->line = err->line;
        finding->column = err->column;
        finding->message = defused(
            arena_printf(findings->arena, err->detail[0] ? "%s (%s)" : "%s", err->message, err->detail),
            false);
        finding->hint =
            err->hint[0] ? defused(arena_strdup(findings->arena, str_from(err->hint)), true) : NULL;
    }
    if (diag->dropped)
        (void)findings_add(findings, DIAG_ERROR, rule, NULL, "%zu more messages are not shown",
                           diag->dropped);
}

/* Where it stands; what has no place comes last. */
static uint64_t place(const struct finding *finding)
{
    return finding->line ? (uint64_t)finding->line << 32 | finding->column : UINT64_MAX;
}

void findings_sort(struct findings *findings)
{
    /* Insertion keeps equals in order; a list is at most a few hundred long. */
    for (size_t i = 1; i < findings->count; i++) {
        struct finding moved = findings->items[i];
        size_t j = i;
        for (; j > 0 && place(&findings->items[j - 1]) > place(&moved); j--)
            findings->items[j] = findings->items[j - 1];
        findings->items[j] = moved;
    }
}
