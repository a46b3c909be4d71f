/* A server that stands for AWS, and a caller with a key whose environment leads there. */
#ifndef FRAISEQL_TESTS_AWS_CALLER_FIXTURE_H
#define FRAISEQL_TESTS_AWS_CALLER_FIXTURE_H

#include "lib/cloud/aws_call.h"
#include "lib/core/clock.h"
#include "tests/support/test_server.h"
#include "tests/unit/lib/cloud/aws_fixture.h"

static struct {
    struct test_server *server;
    struct http_wait *client;
    struct arena *arena;
    struct secret *secret; /* "s3cret" */
    struct aws_caller caller;
    struct error err;
} aws;

static inline void aws_begin(test_server_fn *serve)
{
    aws.server = test_server_new(serve, NULL);
    ck_assert_int_eq(http_wait_new("unit/1", &aws.client, NULL), 0);
    aws.arena = arena_new(0);
    aws.secret = secret_new(STR("s3cret"));
    fixture_env_clear();
    fixture_env_set("AWS_ENDPOINT_URL",
                    arena_printf(aws.arena, "http://127.0.0.1:%u", test_server_port(aws.server)));
    aws.caller =
        (struct aws_caller){.client = aws.client,
                            .token = {.access_key_id = "AKIA", .secret = aws.secret, .source = "environment"},
                            .region = "eu-west-1",
                            .env = fixture_env,
                            .deadline_mono_ns = clock_mono_ns() + 20 * NS_PER_S};
    error_clear(&aws.err);
}

static inline void aws_end(void)
{
    http_wait_free(aws.client);
    test_server_free(aws.server);
    arena_free(aws.arena);
    secret_free(aws.secret);
}

#endif
