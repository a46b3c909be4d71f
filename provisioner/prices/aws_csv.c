#include "provisioner/prices/aws_csv.h"

#define ABOUT_LINES 5

static const char *const column_names[AWS_COLUMNS] = {
    [AWS_TERM_TYPE] = "termtype",
    [AWS_STARTING_RANGE] = "startingrange",
    [AWS_UNIT] = "unit",
    [AWS_PRICE] = "priceperunit",
    [AWS_CURRENCY] = "currency",
    [AWS_FAMILY] = "productfamily",
    [AWS_USAGE_TYPE] = "usagetype",
    [AWS_REGION] = "regioncode",
    [AWS_LOCATION_TYPE] = "locationtype",
    [AWS_INSTANCE_TYPE] = "instancetype",
    [AWS_OPERATING_SYSTEM] = "operatingsystem",
    [AWS_TENANCY] = "tenancy",
    [AWS_SOFTWARE] = "preinstalleds/w",
    [AWS_CAPACITY_STATUS] = "capacitystatus",
    [AWS_LICENSE] = "licensemodel",
    [AWS_MARKET_OPTION] = "marketoption",
    [AWS_VOLUME_API_NAME] = "volumeapiname",
    [AWS_VOLUME_TYPE] = "volumetype",
    [AWS_ENGINE] = "databaseengine",
    [AWS_DEPLOYMENT] = "deploymentoption",
    [AWS_TRANSFER_TYPE] = "transfertype",
    [AWS_FROM_REGION] = "fromregioncode",
    [AWS_TO_REGION] = "toregioncode",
    [AWS_TO_LOCATION_TYPE] = "tolocationtype",
};

/* Those before this one every file has. */
#define FIRST_OPTIONAL AWS_REGION

void aws_csv_init(struct aws_csv *csv, const char *offer, aws_row_fn *fn, void *ctx)
{
    *csv = (struct aws_csv){.offer = offer, .fn = fn, .ctx = ctx};
    buf_init(&csv->pending, AWS_CSV_MAX_LINE);
}

void aws_csv_deinit(struct aws_csv *csv)
{
    buf_deinit(&csv->pending);
}

static int malformed(const struct aws_csv *csv, struct error *err, const char *what)
{
    return error_set(err, ERR_PARSE, "line %llu %s", (unsigned long long)csv->line, what);
}

/* --- one line --- */

/* Takes the next field off the line. False: the line ends within quotes. */
static bool next_field(struct str *line, struct str *ret_field, bool *ret_last)
{
    const char *at = line->ptr, *end = line->ptr + line->len;
    if (at < end && *at == '"') {
        const char *begin = ++at;
        for (;;) {
            at = at < end ? memchr(at, '"', (size_t)(end - at)) : NULL;
            if (!at)
                return false;
            if (at + 1 < end && at[1] == '"') {
                at += 2;
                continue;
            }
            break;
        }
        *ret_field = (struct str){begin, (size_t)(at - begin)};
        at++;
    } else {
        const char *comma = at < end ? memchr(at, ',', (size_t)(end - at)) : NULL;
        *ret_field = (struct str){at, (size_t)((comma ? comma : end) - at)};
        at = comma ? comma : end;
    }
    *ret_last = at >= end;
    if (at < end && *at == ',')
        at++;
    line->ptr = at;
    line->len = (size_t)(end - at);
    return true;
}

/* The name without blanks and in lower case. */
static bool is_named(struct str field, const char *name)
{
    for (size_t i = 0; i < field.len; i++) {
        char byte = field.ptr[i];
        if (byte == ' ')
            continue;
        byte = byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
        if (!*name || byte != *name++)
            return false;
    }
    return !*name;
}

static int take_about(struct aws_csv *csv, struct str name, struct str value, struct error *err)
{
    if (csv->line == 1 && (!is_named(name, "formatversion") || !str_starts(value, STR("v1."))))
        return malformed(csv, err, "is not the FormatVersion of a price list that this program can read");
    if (is_named(name, "publicationdate")) {
        if (value.len < sizeof csv->published - 1)
            return malformed(csv, err, "has no publication date");
        memcpy(csv->published, value.ptr, sizeof csv->published - 1);
    }
    if (is_named(name, "offercode") && !str_equal_text(value, csv->offer))
        return malformed(csv, err, "names another service");
    return 0;
}

static int check_names(const struct aws_csv *csv, struct error *err)
{
    bool there[AWS_COLUMNS] = {false};
    for (size_t i = 0; i < csv->columns; i++) {
        if (csv->at[i] >= 0)
            there[csv->at[i]] = true;
    }
    for (size_t i = 0; i < FIRST_OPTIONAL; i++) {
        if (!there[i])
            return error_set(err, ERR_PARSE, "line %llu has no column %s", (unsigned long long)csv->line,
                             column_names[i]);
    }
    return csv->published[0] ? 0 : malformed(csv, err, "comes before the publication date");
}

static void take_name(struct aws_csv *csv, struct str name)
{
    csv->at[csv->columns] = -1;
    for (size_t i = 0; i < AWS_COLUMNS; i++) {
        if (is_named(name, column_names[i])) {
            csv->at[csv->columns] = (signed short)i;
            csv->last_wanted = csv->columns;
        }
    }
    csv->columns++;
}

/* Counts the fields that are left: commas outside quotes. */
static bool skip_fields(struct str line, size_t *count)
{
    struct str field;
    for (bool last = false; !last; ++*count) {
        if (!next_field(&line, &field, &last))
            return false;
    }
    return true;
}

/* 1: the line goes on in the next one. */
static int take_row(struct aws_csv *csv, struct str line, struct error *err)
{
    struct str fields[AWS_COLUMNS], field;
    size_t count = 0;
    bool last = false;
    for (size_t i = 0; i < AWS_COLUMNS; i++)
        fields[i] = (struct str){"", 0};
    while (!last && count <= csv->last_wanted) {
        if (!next_field(&line, &field, &last))
            return 1;
        if (csv->at[count] >= 0)
            fields[csv->at[count]] = field;
        count++;
    }
    if (!last && !skip_fields(line, &count))
        return 1;
    if (count != csv->columns)
        return error_set(err, ERR_PARSE, "line %llu has %zu fields, not %zu", (unsigned long long)csv->line,
                         count, csv->columns);
    csv->rows++;
    return csv->fn(csv->ctx, fields, err);
}

static int take_head(struct aws_csv *csv, struct str line, struct error *err)
{
    struct str name, value = {"", 0}, left = line;
    bool last = false;
    if (!next_field(&left, &name, &last) || (!last && !next_field(&left, &value, &last)))
        return malformed(csv, err, "ends within quotes");
    if (csv->line <= ABOUT_LINES)
        return take_about(csv, name, value, err);
    for (last = false; !last;) {
        if (csv->columns == AWS_CSV_MAX_COLUMNS)
            return malformed(csv, err, "names too many columns");
        if (!next_field(&line, &name, &last))
            return malformed(csv, err, "ends within quotes");
        take_name(csv, name);
    }
    return check_names(csv, err);
}

static int take_line(struct aws_csv *csv, struct str line, struct error *err)
{
    csv->line++;
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (csv->columns == 0)
        return take_head(csv, line, err);
    return line.len ? take_row(csv, line, err) : 0;
}

/* --- the bytes --- */

static int keep(struct aws_csv *csv, struct str bytes, struct error *err)
{
    buf_append_str(&csv->pending, bytes);
    return csv->pending.failed ? error_set(err, ERR_LIMIT, "line %llu is longer than %lu bytes",
                                           (unsigned long long)csv->line + 1, AWS_CSV_MAX_LINE)
                               : 0;
}

/* A line that is complete but for what the pending bytes hold. */
static int finish_line(struct aws_csv *csv, struct str rest, struct error *err)
{
    struct str line = rest;
    if (csv->pending.len) {
        int code = keep(csv, rest, err);
        if (code)
            return code;
        line = buf_str(&csv->pending);
    }
    int code = take_line(csv, line, err);
    if (code == 1) { /* a line end within quotes */
        csv->line--;
        if (!csv->pending.len && (code = keep(csv, rest, err)))
            return code;
        return keep(csv, STR("\n"), err);
    }
    buf_reset(&csv->pending);
    return code;
}

int aws_csv_feed(struct aws_csv *csv, struct str chunk, struct error *err)
{
    while (chunk.len) {
        const char *end = memchr(chunk.ptr, '\n', chunk.len);
        size_t length = end ? (size_t)(end - chunk.ptr) : chunk.len;
        int code = end ? finish_line(csv, (struct str){chunk.ptr, length}, err)
                       : keep(csv, (struct str){chunk.ptr, length}, err);
        if (code)
            return code;
        chunk.ptr += end ? length + 1 : length;
        chunk.len -= end ? length + 1 : length;
    }
    return 0;
}

int aws_csv_end(struct aws_csv *csv, struct error *err)
{
    if (csv->pending.len) { /* the last line may lack its end, and must be whole */
        int code = take_line(csv, buf_str(&csv->pending), err);
        if (code)
            return code == 1 ? malformed(csv, err, "ends within quotes") : code;
        buf_reset(&csv->pending);
    }
    return csv->rows ? 0 : error_set(err, ERR_PARSE, "the file has no prices");
}
