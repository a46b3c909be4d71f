/* What a gateway has left with its cloud, and what clouds wrap around it: the first byte says which. No
 * crash, nothing believed that names another document, and no word that acts on a terminal. */
#include "provisioner/aws/gateway_report.h"
#include "provisioner/azure/gateway_report.h"
#include "provisioner/gateway_report.h"
#include "provisioner/gcp/gateway_report.h"

#include <assert.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The report within an answer; all of it where it is none of a cloud. */
static struct str unwrap(uint8_t cloud, struct str body, struct arena *arena)
{
    struct error err = {0};
    struct node *root = NULL;
    struct str text = body;
    int code = 0;
    if (cloud == 'a')
        code = aws_gateway_report_read(body, arena, &text, &err);
    else if (cloud == 'g' || cloud == 'z') {
        if (json_parse(arena, body, &root, NULL))
            root = NULL;
        code = cloud == 'g' ? gcp_gateway_report_read(root, &text, &err)
                            : azure_gateway_report_read(root, &text, &err);
    }
    assert(code ? err.message[0] : !err.message[0]);
    return text;
}

static void check(const char *text)
{
    assert(str_is_utf8(str_from(text)));
    for (; *text; text++)
        assert((unsigned char)*text >= 0x20 && *text != 0x7F);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct arena *arena = arena_new(0);
    struct error err = {0};
    struct gateway_report report;
    struct gateway_state state;
    const struct str body = {(const char *)data + 1, size - 1};
    int code = gateway_report_parse(unwrap(data[0], body, arena), arena, &report, &err);
    assert(code ? err.message[0] : !err.message[0]);
    assert(report.peer_count <= GATEWAY_PEERS_MAX);
    assert(!report.document[0] || strlen(report.document) == GATEWAY_DIGEST_CHARS);
    gateway_report_judge(&report, DIGEST, arena, &state);
    assert(!gateway_is_settled(state.standing) || strcmp(report.document, DIGEST) == 0);
    assert(state.settled <= state.peers);
    check(state.detail);
    gateway_report_judge(&report, "", arena, &state);
    assert(!gateway_is_settled(state.standing));
    arena_free(arena);
    return 0;
}
