#include "tracing/entry.h"

#include "tests/support/support.h"
#include "tests/unit/tracing/otlp_build.h"

static struct otlp_span span_of(const char *parent, uint32_t flags, uint32_t kind)
{
    return (struct otlp_span){.parent_span_id = str_from(parent), .flags = flags, .kind = kind};
}

START_TEST(decides_by_parent_flags_and_kind)
{
    static const struct {
        const char *parent;
        uint32_t flags, kind;
        enum entry_verdict verdict;
    } cases[] = {
        {"", 0, OTLP_KIND_INTERNAL, ENTRY_YES}, /* FraiseQL's requests */
        {"", OTLP_FLAG_REMOTE_KNOWN, OTLP_KIND_CLIENT, ENTRY_YES},
        {"12345678", OTLP_FLAG_REMOTE_KNOWN | OTLP_FLAG_REMOTE, OTLP_KIND_INTERNAL, ENTRY_YES},
        {"12345678", OTLP_FLAG_REMOTE_KNOWN, OTLP_KIND_SERVER,
         ENTRY_NO}, /* a server span inside the service */
        {"12345678", OTLP_FLAG_REMOTE, OTLP_KIND_INTERNAL, ENTRY_ASK_PARENT}, /* not known: not believed */
        {"12345678", 0x01, OTLP_KIND_SERVER, ENTRY_YES},
        {"12345678", 0, OTLP_KIND_CONSUMER, ENTRY_YES},
        {"12345678", 0, OTLP_KIND_CLIENT, ENTRY_ASK_PARENT},
        {"12345678", 0, OTLP_KIND_PRODUCER, ENTRY_ASK_PARENT},
        {"12345678", 0, OTLP_KIND_UNSPECIFIED, ENTRY_ASK_PARENT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct otlp_span span = span_of(cases[i].parent, cases[i].flags, cases[i].kind);
        ck_assert_msg(entry_decide(&span) == cases[i].verdict, "case %zu", i);
    }
}
END_TEST

/* Ids as build_span() writes them. */
static struct otlp_span child_of(uint64_t trace, uint64_t parent, char ids[24])
{
    memcpy(ids, &trace, 8);
    memcpy(ids + 8, &trace, 8);
    memcpy(ids + 16, &parent, 8);
    return (struct otlp_span){.trace_id = {ids, 16}, .parent_span_id = {ids + 16, 8}};
}

START_TEST(finds_parents_of_other_services)
{
    const struct build_span front[] = {{.trace = 1, .span = 10, .name = "a"},
                                       {.trace = 2, .span = 11, .name = "b"}};
    const struct build_span back[] = {{.trace = 1, .span = 20, .parent = 10, .name = "c"}};
    struct buf request = BUF_INIT(BUILD_MAX);
    build_group(&request, "front", NULL, front, 2, true);
    build_group(&request, "back", NULL, back, 1, true);
    struct otlp_frame frame;
    ck_assert_int_eq(otlp_frame_traces(buf_str(&request), &frame, NULL), 0);
    struct entry_index index;
    ck_assert(entry_index_build(&index, buf_str(&request), &frame));
    char ids[24];
    struct otlp_span span = child_of(1, 10, ids);
    ck_assert(entry_parent_elsewhere(&index, &span, STR("back")));
    ck_assert(!entry_parent_elsewhere(&index, &span, STR("front")));
    span = child_of(2, 10, ids); /* the same span id in another trace */
    ck_assert(!entry_parent_elsewhere(&index, &span, STR("back")));
    span = child_of(1, 99, ids); /* not in this body */
    ck_assert(!entry_parent_elsewhere(&index, &span, STR("back")));
    entry_index_deinit(&index);
    buf_deinit(&request);
}
END_TEST

START_TEST(does_without_an_index_when_there_are_too_many_spans)
{
    const struct otlp_frame frame = {.groups = 2, .spans = ENTRY_INDEX_MAX + 1};
    struct entry_index index;
    char ids[24];
    struct otlp_span span = child_of(1, 10, ids);
    ck_assert(!entry_index_build(&index, (struct str){NULL, 0}, &frame));
    ck_assert(!entry_parent_elsewhere(&index, &span, STR("back")));
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("entry");
    TCase *tests = tcase_create("entry");
    tcase_add_test(tests, decides_by_parent_flags_and_kind);
    tcase_add_test(tests, finds_parents_of_other_services);
    tcase_add_test(tests, does_without_an_index_when_there_are_too_many_spans);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
