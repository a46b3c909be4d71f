/* Checks a nested OTLP message that is not read: lengths, wire types, depth.
 *
 * A table gives each message's fields; the walk keeps its own stack, so a bomb of nested attribute values
 * costs WIRE_MAX_DEPTH steps and no thread stack. Field numbers are those of the protocol (otlp.proto beside
 * the data model lists them). Pure; any thread. */
#ifndef FRAISEQL_TRACING_OTLP_VALIDATE_H
#define FRAISEQL_TRACING_OTLP_VALIDATE_H

#include "lib/core/wire.h"

enum otlp_message {
    OTLP_MESSAGE_NONE,
    OTLP_MESSAGE_RESOURCE,
    OTLP_MESSAGE_SCOPE,
    OTLP_MESSAGE_KEY_VALUE,
    OTLP_MESSAGE_ANY_VALUE,
    OTLP_MESSAGE_ARRAY,
    OTLP_MESSAGE_KEY_VALUE_LIST,
    OTLP_MESSAGE_ENTITY_REF,
    OTLP_MESSAGE_EVENT,
    OTLP_MESSAGE_LINK,
    OTLP_MESSAGE_COUNT
};

enum otlp_validity { OTLP_VALID, OTLP_DAMAGED, OTLP_TOO_DEEP };

enum otlp_validity otlp_validate(struct wire message, enum otlp_message type) CHECK_RESULT;

/* As otlp_validate(attribute, OTLP_MESSAGE_KEY_VALUE), quick for what almost every attribute is: a key and a
 * text, number or boolean, in either order. */
enum otlp_validity otlp_validate_attribute(struct wire attribute) CHECK_RESULT;

#endif
