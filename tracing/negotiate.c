#include "tracing/negotiate.h"

#include "lib/core/str.h"

#include <strings.h>

static bool is_word(struct str text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.ptr, word, text.len) == 0;
}

enum body_type negotiate_type(const char *content_type)
{
    if (!content_type)
        return BODY_OTHER;
    struct str type = str_trim((struct str){content_type, strcspn(content_type, ";")});
    if (is_word(type, "application/x-protobuf"))
        return BODY_PROTOBUF;
    return is_word(type, "application/json") ? BODY_JSON : BODY_OTHER;
}

enum body_coding negotiate_coding(const char *content_encoding)
{
    struct str coding = str_trim(str_from(content_encoding));
    if (coding.len == 0 || is_word(coding, "identity"))
        return CODING_IDENTITY;
    if (is_word(coding, "gzip") || is_word(coding, "x-gzip"))
        return CODING_GZIP;
    return is_word(coding, "deflate") ? CODING_DEFLATE : CODING_OTHER;
}
