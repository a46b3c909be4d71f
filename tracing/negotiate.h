/* Content-Type and Content-Encoding of a request. Pure; any thread. */
#ifndef FRAISEQL_TRACING_NEGOTIATE_H
#define FRAISEQL_TRACING_NEGOTIATE_H

enum body_type { BODY_PROTOBUF, BODY_JSON, BODY_OTHER };
enum body_coding { CODING_IDENTITY, CODING_GZIP, CODING_DEFLATE, CODING_OTHER };

/* Parameters such as `; charset=utf-8` are ignored; NULL is BODY_OTHER. */
enum body_type negotiate_type(const char *content_type);
/* NULL and "" are CODING_IDENTITY; a list of several codings is CODING_OTHER. */
enum body_coding negotiate_coding(const char *content_encoding);

#endif
