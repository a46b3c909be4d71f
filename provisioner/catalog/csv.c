#include "provisioner/catalog/csv.h"

static void take_line(struct str line, csv_row_fn *fn, void *ctx)
{
    struct str fields[CSV_MAX_FIELDS];
    size_t count = 0;
    for (;;) {
        const char *comma = line.len ? memchr(line.ptr, ',', line.len) : NULL;
        struct str field = {line.ptr, comma ? (size_t)(comma - line.ptr) : line.len};
        if (count < CSV_MAX_FIELDS)
            fields[count] = str_trim(field);
        count = count < CSV_MAX_FIELDS ? count + 1 : CSV_MAX_FIELDS + 1;
        if (!comma)
            break;
        line.ptr += field.len + 1;
        line.len -= field.len + 1;
    }
    fn(ctx, fields, count);
}

void csv_each(struct str bytes, csv_row_fn *fn, void *ctx)
{
    while (bytes.len) {
        const char *end = memchr(bytes.ptr, '\n', bytes.len);
        size_t length = end ? (size_t)(end - bytes.ptr) : bytes.len;
        struct str line = str_trim((struct str){bytes.ptr, length});
        if (line.len && line.ptr[0] != '#')
            take_line(line, fn, ctx);
        bytes.ptr += end ? length + 1 : length;
        bytes.len -= end ? length + 1 : length;
    }
}
