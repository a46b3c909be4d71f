#include "lib/core/wire.h"

bool wire_varint_long(struct wire *wire, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (wire->at >= wire->end)
            return false;
        uint8_t byte = *wire->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

bool wire_tag_long(struct wire *wire, uint32_t *ret_tag)
{
    uint64_t tag = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (wire->at >= wire->end)
            return false;
        uint8_t byte = *wire->at++;
        tag |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *ret_tag = (uint32_t)tag;
            return tag >= 8 && tag <= UINT32_MAX;
        }
    }
    return false;
}

/* One field that is no group. */
static bool skip_plain(struct wire *wire, uint32_t type)
{
    uint64_t ignored;
    struct wire bytes;
    switch (type) {
    case WIRE_VARINT:
        return wire_varint(wire, &ignored);
    case WIRE_FIXED64:
        return wire_fixed64(wire, &ignored);
    case WIRE_BYTES:
        return wire_bytes(wire, &bytes);
    case WIRE_FIXED32:
        return wire_fixed32(wire, &(uint32_t){0});
    default:
        return false;
    }
}

bool wire_skip(struct wire *wire, uint32_t tag)
{
    uint32_t open[WIRE_MAX_DEPTH];
    size_t depth = 0;
    for (;;) {
        uint32_t type = tag & 7;
        if (type == WIRE_GROUP) {
            if (depth == WIRE_MAX_DEPTH)
                return false;
            open[depth++] = tag >> 3;
        } else if (type == WIRE_GROUP_END) {
            if (depth == 0 || open[--depth] != tag >> 3)
                return false;
        } else if (!skip_plain(wire, type)) {
            return false;
        }
        if (depth == 0)
            return true;
        if (!wire_tag(wire, &tag))
            return false;
    }
}
