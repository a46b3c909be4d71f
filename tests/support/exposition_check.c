#include "tests/support/exposition_check.h"

#include "lib/core/arena.h"
#include "lib/core/map.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_LABELS 80

struct family {
    struct str name, type, unit;
    bool typed, helped, united;
};

struct checker {
    struct exposition_check *check;
    struct arena *arena;
    struct map families; /* metadata names -> themselves */
    struct map series;   /* name{labels} -> itself */
    struct map metrics;  /* family{labels without bound}: once its lines have ended they must not come back */
    struct family family;
    bool has_family, has_samples;
    struct str metric; /* the present one */
    double last_bound;
    bool has_bound;
    size_t line_number;
};

static PRINTF_LIKE(2, 3) bool fail(struct checker *checker, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!checker->check->message[0])
        (void)snprintf(checker->check->message, sizeof checker->check->message, "line %zu: %s",
                       checker->line_number, text);
    return false;
}

static bool name_ok(struct str name, bool colon)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':');
        if (!alpha && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return name.len > 0;
}

/* Go's ParseFloat without hex, underscores and blanks. */
static bool number_ok(struct str text, double *ret_number)
{
    static const char *const words[] = {"NaN", "+Inf", "-Inf"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_equal_text(text, words[i])) {
            *ret_number = i == 0 ? (double)NAN : i == 1 ? (double)INFINITY : -(double)INFINITY;
            return true;
        }
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!strchr("0123456789+-.e", text.ptr[i]))
            return false;
    }
    return str_to_double(text, ret_number);
}

static bool escapes_ok(struct str text, bool quote)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\r' || text.ptr[i] == '\0')
            return false;
        if (text.ptr[i] != '\\')
            continue;
        i++;
        if (i >= text.len || !(text.ptr[i] == '\\' || text.ptr[i] == 'n' || (quote && text.ptr[i] == '"')))
            return false;
    }
    return str_is_utf8(text);
}

static struct str until(struct str *rest, char stop)
{
    const char *end = rest->len ? memchr(rest->ptr, stop, rest->len) : NULL;
    size_t length = end ? (size_t)(end - rest->ptr) : rest->len;
    struct str part = {rest->ptr, length};
    *rest = end ? (struct str){end + 1, rest->len - length - 1} : (struct str){"", 0};
    return part;
}

static bool type_ok(const struct checker *checker, struct str type)
{
    static const char *const text[] = {"counter", "gauge", "histogram", "summary", "untyped"};
    static const char *const openmetrics[] = {"counter", "gauge", "histogram", "gaugehistogram",
                                              "summary", "info",  "stateset",  "unknown"};
    const char *const *words = checker->check->openmetrics ? openmetrics : text;
    size_t count = checker->check->openmetrics ? ARRAY_LEN(openmetrics) : ARRAY_LEN(text);
    for (size_t i = 0; i < count; i++) {
        if (str_equal_text(type, words[i]))
            return true;
    }
    return false;
}

static bool is_type(const struct checker *checker, const char *type)
{
    return str_equal_text(checker->family.type, type);
}

/* Names that a family owns, so that no other may have them. */
static bool claim_names(struct checker *checker)
{
    bool om = checker->check->openmetrics;
    const char *suffixes[6];
    size_t count = 0;
    suffixes[count++] = "";
    if (is_type(checker, "histogram"))
        suffixes[count++] = "_bucket";
    if (is_type(checker, "histogram") || is_type(checker, "summary")) {
        suffixes[count++] = "_sum";
        suffixes[count++] = "_count";
    }
    if (om && is_type(checker, "counter"))
        suffixes[count++] = "_total";
    if (om && is_type(checker, "info"))
        suffixes[count++] = "_info";
    if (om && (is_type(checker, "counter") || is_type(checker, "histogram") || is_type(checker, "summary")))
        suffixes[count++] = "_created";
    for (size_t i = 0; i < count; i++) {
        const char *name =
            arena_printf(checker->arena, "%.*s%s", STR_ARGS(checker->family.name), suffixes[i]);
        if (map_put(&checker->families, str_from(name), checker))
            return fail(checker, "the name %s belongs to two families", name);
    }
    return true;
}

static bool start_family(struct checker *checker, struct str name)
{
    if (checker->has_family && str_equal(checker->family.name, name) && !checker->has_samples)
        return true;
    if (checker->has_family && !checker->has_samples)
        return fail(checker, "family %.*s has no sample", STR_ARGS(checker->family.name));
    checker->family = (struct family){.name = name};
    checker->has_family = true;
    checker->has_samples = false;
    checker->metric = (struct str){NULL, 0};
    checker->check->families++;
    return true;
}

static bool check_metadata(struct checker *checker, struct str line)
{
    bool om = checker->check->openmetrics;
    struct str rest = {line.ptr + 2, line.len - 2};
    struct str keyword = until(&rest, ' '), name = until(&rest, ' ');
    if (!name_ok(name, true))
        return fail(checker, "bad name in \"%.*s\"", STR_ARGS(line));
    if (!start_family(checker, name))
        return false;
    struct family *family = &checker->family;
    if (str_equal_text(keyword, "TYPE")) {
        if (family->typed || !type_ok(checker, rest))
            return fail(checker, "bad or second TYPE \"%.*s\"", STR_ARGS(line));
        family->typed = true;
        family->type = rest;
        return claim_names(checker);
    }
    if (str_equal_text(keyword, "HELP")) {
        if (family->helped || !escapes_ok(rest, om) ||
            (om && rest.len && memchr(rest.ptr, '"', rest.len) && !memmem(rest.ptr, rest.len, "\\\"", 2)))
            return fail(checker, "bad or second HELP \"%.*s\"", STR_ARGS(line));
        family->helped = true;
        return true;
    }
    if (!om || !str_equal_text(keyword, "UNIT") || family->united)
        return fail(checker, "comment or second UNIT \"%.*s\"", STR_ARGS(line));
    family->united = true;
    bool suffix = str_ends(name, rest) && name.len > rest.len && name.ptr[name.len - rest.len - 1] == '_';
    if (!rest.len || !suffix || is_type(checker, "info") || is_type(checker, "stateset"))
        return fail(checker, "unit %.*s is not the end of %.*s", STR_ARGS(rest), STR_ARGS(name));
    return true;
}

struct sample {
    struct str name, labels_text;
    struct str names[MAX_LABELS], values[MAX_LABELS];
    size_t count;
    double value;
};

static bool parse_labels(struct checker *checker, struct str *rest, struct sample *sample)
{
    const char *start = rest->ptr;
    size_t i = 0;
    while (i < rest->len && rest->ptr[i] != '}') {
        if (sample->count == MAX_LABELS)
            return fail(checker, "more than %d labels", MAX_LABELS);
        size_t name = i;
        while (i < rest->len && rest->ptr[i] != '=')
            i++;
        sample->names[sample->count] = (struct str){start + name, i - name};
        if (i + 1 >= rest->len || rest->ptr[i + 1] != '"')
            return fail(checker, "bad label");
        size_t value = i + 2;
        for (i = value; i < rest->len && rest->ptr[i] != '"'; i++)
            i += rest->ptr[i] == '\\';
        if (i >= rest->len)
            return fail(checker, "open label value");
        sample->values[sample->count++] = (struct str){start + value, i - value};
        i++;
        if (i < rest->len && rest->ptr[i] == ',') {
            i++;
            if (i < rest->len && rest->ptr[i] == '}')
                return fail(checker, "trailing comma");
        } else if (i >= rest->len || rest->ptr[i] != '}') {
            return fail(checker, "expected , or }");
        }
    }
    if (i >= rest->len)
        return fail(checker, "open labels");
    sample->labels_text = (struct str){start, i};
    *rest = (struct str){start + i + 1, rest->len - i - 1};
    return true;
}

static bool check_labels(struct checker *checker, const struct sample *sample)
{
    for (size_t i = 0; i < sample->count; i++) {
        if (!name_ok(sample->names[i], false) || str_equal_text(sample->names[i], "__name__"))
            return fail(checker, "bad label name \"%.*s\"", STR_ARGS(sample->names[i]));
        struct str value = sample->values[i];
        for (size_t k = 0; k < value.len; k++) {
            if (value.ptr[k] == '\\' && !strchr("\\n\"", value.ptr[++k]))
                return fail(checker, "undefined escape");
            if (value.ptr[k] == '\0')
                return fail(checker, "NUL in a value");
        }
        if (!str_is_utf8(value))
            return fail(checker, "a value is not UTF-8");
        for (size_t k = 0; k < i; k++) {
            if (str_equal(sample->names[i], sample->names[k]))
                return fail(checker, "label %.*s twice", STR_ARGS(sample->names[i]));
        }
    }
    return true;
}

static const struct str *label(const struct sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->count; i++) {
        if (str_equal_text(sample->names[i], name))
            return &sample->values[i];
    }
    return NULL;
}

/* The suffix of a line of the present family; NULL when the line is not the family's. */
static const char *suffix_of(const struct checker *checker, struct str name)
{
    bool om = checker->check->openmetrics;
    struct str stem = checker->family.name;
    if (!str_starts(name, stem))
        return NULL;
    struct str rest = {name.ptr + stem.len, name.len - stem.len};
    const char *allowed[4] = {NULL};
    if (is_type(checker, "histogram")) {
        allowed[0] = "_bucket", allowed[1] = "_sum", allowed[2] = "_count";
    } else if (is_type(checker, "summary")) {
        allowed[0] = "", allowed[1] = "_sum", allowed[2] = "_count";
    } else if (om && is_type(checker, "counter")) {
        allowed[0] = "_total";
    } else if (om && is_type(checker, "info")) {
        allowed[0] = "_info";
    } else {
        allowed[0] = "";
    }
    for (size_t i = 0; i < ARRAY_LEN(allowed) && allowed[i]; i++) {
        if (str_equal_text(rest, allowed[i]))
            return allowed[i];
    }
    return NULL;
}

/* Lines of one metric are together, its buckets and quantiles ascend. */
static bool check_order(struct checker *checker, const struct sample *sample, const char *suffix)
{
    const char *bound_name = is_type(checker, "histogram") && strcmp(suffix, "_bucket") == 0 ? "le"
                             : is_type(checker, "summary") && !suffix[0]                     ? "quantile"
                                                                                             : NULL;
    struct buf key = BUF_INIT(1 << 24);
    buf_append_str(&key, checker->family.name);
    for (size_t i = 0; i < sample->count; i++) {
        if (bound_name && str_equal_text(sample->names[i], bound_name))
            continue;
        buf_printf(&key, "|%.*s=%.*s", STR_ARGS(sample->names[i]), STR_ARGS(sample->values[i]));
    }
    struct str metric = str_from(arena_strdup(checker->arena, buf_str(&key)));
    buf_deinit(&key);
    if (!str_equal(metric, checker->metric)) {
        if (map_put(&checker->metrics, metric, checker))
            return fail(checker, "the lines of %.*s are not together", STR_ARGS(metric));
        checker->metric = metric;
        checker->has_bound = false;
    }
    if (!bound_name)
        return true;
    const struct str *text = label(sample, bound_name);
    double bound;
    if (!text || !number_ok(*text, &bound) || isnan(bound))
        return fail(checker, "%s is missing or no number", bound_name);
    if (isfinite(bound) && !memchr(text->ptr, '.', text->len) && !memchr(text->ptr, 'e', text->len))
        return fail(checker, "%s=\"%.*s\" is not canonical", bound_name, STR_ARGS(*text));
    if (checker->has_bound && bound <= checker->last_bound)
        return fail(checker, "%s does not ascend", bound_name);
    checker->last_bound = bound;
    checker->has_bound = true;
    return true;
}

static bool check_sample(struct checker *checker, struct str line)
{
    struct sample sample = {0};
    struct str rest = line;
    size_t length = 0;
    while (length < line.len && line.ptr[length] != '{' && line.ptr[length] != ' ')
        length++;
    sample.name = (struct str){line.ptr, length};
    rest = (struct str){line.ptr + length, line.len - length};
    if (!name_ok(sample.name, true))
        return fail(checker, "bad line \"%.*s\"", (int)(line.len < 200 ? line.len : 200), line.ptr);
    if (rest.len && rest.ptr[0] == '{') {
        rest = (struct str){rest.ptr + 1, rest.len - 1};
        if (!parse_labels(checker, &rest, &sample) || !check_labels(checker, &sample))
            return false;
    }
    if (!rest.len || rest.ptr[0] != ' ' ||
        !number_ok((struct str){rest.ptr + 1, rest.len - 1}, &sample.value))
        return fail(checker, "bad value in \"%.*s\"", (int)(line.len < 200 ? line.len : 200), line.ptr);
    if (!checker->has_family || !checker->family.typed)
        return fail(checker, "a sample without TYPE");
    const char *suffix = suffix_of(checker, sample.name);
    if (!suffix)
        return fail(checker, "%.*s is not of family %.*s", STR_ARGS(sample.name),
                    STR_ARGS(checker->family.name));
    if (is_type(checker, "info") && sample.value != 1.0)
        return fail(checker, "an info that is not 1");
    if (is_type(checker, "stateset") && ((sample.value != 0.0 && sample.value != 1.0) ||
                                         !label(&sample, arena_strdup(checker->arena, checker->family.name))))
        return fail(checker, "a bad state");
    checker->has_samples = true;
    checker->check->lines++;
    struct str key = {line.ptr, line.len - rest.len};
    if (map_put(&checker->series, key, checker))
        return fail(checker, "series twice: %.*s", (int)(key.len < 200 ? key.len : 200), key.ptr);
    return check_order(checker, &sample, suffix);
}

static bool check_lines(struct checker *checker, struct str page)
{
    bool om = checker->check->openmetrics, ended = false;
    while (page.len) {
        checker->line_number++;
        const char *end = memchr(page.ptr, '\n', page.len);
        if (!end)
            return fail(checker, "the last line has no LF");
        struct str line = {page.ptr, (size_t)(end - page.ptr)};
        page = (struct str){end + 1, page.len - line.len - 1};
        if (ended)
            return fail(checker, "something after # EOF");
        if (om && str_equal_text(line, "# EOF"))
            ended = true;
        else if (!line.len)
            return fail(checker, "empty line");
        else if (!(line.ptr[0] == '#' ? line.len > 2 && line.ptr[1] == ' ' && check_metadata(checker, line)
                                      : check_sample(checker, line)))
            return fail(checker, "bad line \"%.*s\"", (int)(line.len < 200 ? line.len : 200), line.ptr);
    }
    if (om && !ended)
        return fail(checker, "no # EOF");
    if (checker->has_family && !checker->has_samples)
        return fail(checker, "the last family has no sample");
    return true;
}

bool exposition_check(struct str page, struct exposition_check *check)
{
    struct checker checker = {.check = check, .arena = arena_new(0)};
    check->families = check->lines = 0;
    check->message[0] = '\0';
    bool right = check_lines(&checker, page);
    map_deinit(&checker.families);
    map_deinit(&checker.series);
    map_deinit(&checker.metrics);
    arena_free(checker.arena);
    return right;
}
