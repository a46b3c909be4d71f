#include "tracing/otlp_answer.h"

#include "lib/core/arena.h"
#include "lib/metrics/proto/otlp.pb-c.h"
#include "tracing/negotiate.h"

#include <stdlib.h>

static void pack(const ProtobufCMessage *message, struct buf *out)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    if (!buf_reserve(out, len))
        return;
    uint8_t *bytes = xmalloc(len + 1);
    buf_append(out, bytes, protobuf_c_message_pack(message, bytes));
    free(bytes);
}

/* The generated structs hold char *, though packing only reads. */
static char *unconst(const char *text)
{
    union {
        const char *in;
        char *out;
    } pun = {.in = text};
    return pun.out;
}

void otlp_answer_partial(uint64_t rejected, const char *message, struct buf *out)
{
    Otlp__PartialSuccess partial = OTLP__PARTIAL_SUCCESS__INIT;
    partial.has_rejected = rejected > 0;
    partial.rejected = rejected > INT64_MAX ? INT64_MAX : (int64_t)rejected;
    partial.error_message = unconst(message);
    Otlp__ExportResponse response = OTLP__EXPORT_RESPONSE__INIT;
    response.partial_success = &partial;
    pack(&response.base, out);
}

/* gRPC codes (google/rpc/code.proto) for the statuses we give. */
static int32_t rpc_code(int http_status)
{
    switch (http_status) {
    case 400:
    case 414:
    case 415:
        return 3; /* INVALID_ARGUMENT */
    case 401:
        return 16; /* UNAUTHENTICATED */
    case 403:
        return 7; /* PERMISSION_DENIED */
    case 404:
    case 405:
        return 12; /* UNIMPLEMENTED */
    case 413:
    case 429:
        return 8; /* RESOURCE_EXHAUSTED */
    case 503:
        return 14; /* UNAVAILABLE */
    default:
        return 13; /* INTERNAL */
    }
}

static void append_json_text(struct buf *out, const char *text)
{
    buf_append_byte(out, '"');
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\')
            buf_append_byte(out, '\\');
        if ((unsigned char)*at < 0x20)
            buf_printf(out, "\\u%04x", (unsigned)*at);
        else
            buf_append_byte(out, *at);
    }
    buf_append_byte(out, '"');
}

const char *otlp_answer_type(const char *content_type)
{
    switch (negotiate_type(content_type)) {
    case BODY_PROTOBUF:
        return OTLP_TYPE_PROTOBUF;
    case BODY_JSON:
        return OTLP_TYPE_JSON;
    case BODY_OTHER:
    default:
        return OTLP_TYPE_TEXT;
    }
}

void otlp_answer_status(const char *content_type, int http_status, const char *message, struct buf *out)
{
    int32_t code = rpc_code(http_status);
    if (!strcmp(content_type, OTLP_TYPE_PROTOBUF)) {
        Otlp__RpcStatus status = OTLP__RPC_STATUS__INIT;
        status.has_code = true;
        status.code = code;
        status.message = unconst(message);
        pack(&status.base, out);
    } else if (!strcmp(content_type, OTLP_TYPE_JSON)) {
        buf_printf(out, "{\"code\":%d,\"message\":", (int)code);
        append_json_text(out, message);
        buf_append_text(out, "}");
    } else {
        buf_printf(out, "%s\n", message);
    }
}
