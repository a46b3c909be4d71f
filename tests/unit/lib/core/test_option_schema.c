#include "tests/support/support.h"
#include "tests/unit/lib/core/option_fixture.h"

static const struct node *at(const struct node *node, const char *key)
{
    const struct node_pair *pair = node_find(node, key);
    ck_assert_msg(pair != NULL, "no \"%s\"", key);
    return pair->value;
}

static void assert_text(const struct node *node, const char *text)
{
    ck_assert_str_eq(node->scalar.ptr, text);
}

START_TEST(schema_is_json_that_follows_the_table)
{
    struct buf out = BUF_INIT(1 << 20);
    struct arena *arena = arena_new(0);
    struct node *root;
    struct error err;
    option_write_schema(&fix_section, "fix", false, &out);
    int code = json_parse(arena, buf_str(&out), &root, &err);
    ck_assert_msg(code == 0, "%s", err.message);
    assert_text(at(root, "$schema"), "https://json-schema.org/draft/2020-12/schema");
    assert_text(at(root, "$ref"), "#/$defs/section0");
    const struct node *file = at(at(root, "$defs"), "section0");
    assert_text(at(file, "additionalProperties"), "false");
    const struct node *properties = at(file, "properties");
    assert_text(at(at(properties, "mode"), "enum")->items[2], "resolve");
    assert_text(at(at(properties, "wait"), "default"), "1m30s");
    assert_text(at(at(at(properties, "codes"), "items"), "maximum"), "10");
    assert_text(at(at(properties, "codes"), "minItems"), "1");
    const char *ref = at(at(at(properties, "probes"), "items"), "$ref")->scalar.ptr;
    ck_assert(strncmp(ref, "#/$defs/", 8) == 0);
    const struct node *probe = at(at(root, "$defs"), ref + 8);
    assert_text(at(probe, "title"), "probes[]");
    assert_text(at(probe, "required")->items[0], "name");
    ck_assert_uint_eq(at(probe, "oneOf")->count, 2);
    buf_deinit(&out);
    arena_free(arena);
}
END_TEST

START_TEST(schema_refuses_what_the_parser_misses)
{
    struct buf out = BUF_INIT(1 << 20);
    struct arena *arena = arena_new(0);
    struct node *root;
    struct error err;
    option_write_schema(&fix_section, "fix", true, &out);
    ck_assert_int_eq(json_parse(arena, buf_str(&out), &root, &err), 0);
    const struct node *defs = at(root, "$defs"), *file = at(defs, "section0"),
                      *properties = at(file, "properties");
    ck_assert_int_eq(at(file, "type")->kind, NODE_SEQUENCE); /* an empty file is a good one */
    const char *probe = at(at(at(properties, "probes"), "items"), "$ref")->scalar.ptr + strlen("#/$defs/");
    assert_text(at(at(defs, probe), "type"), "object");
    assert_text(at(at(properties, "url"), "type"), "string");
    const char *limits = at(at(properties, "limits"), "$ref")->scalar.ptr + strlen("#/$defs/");
    assert_text(at(at(at(at(defs, limits), "properties"), "memory"), "minimum"), "1024");
    ck_assert_ptr_null(node_find(file, "required"));
    assert_text(at(at(at(file, "patternProperties"), "^secret-file$"), "minLength"), "1");
    buf_deinit(&out);
    arena_free(arena);
}
END_TEST

struct choice {
    int64_t above, below;
};
struct holder {
    struct choice choice;
};

/* Left out, a section of which one key must be given is read as an empty one, and the parser misses the key.
 */
START_TEST(schema_requires_a_section_of_which_one_key_must_be_given)
{
    static const struct option keys[] = {
        {.name = "above", .type = OPT_INT, .offset = offsetof(struct choice, above), .help = "Above."},
        {.name = "below", .type = OPT_INT, .offset = offsetof(struct choice, below), .help = "Below."}};
    static const char *const names[] = {"above", "below", NULL};
    static const struct option_section choice = {.name = "choice",
                                                 .size = sizeof(struct choice),
                                                 .options = keys,
                                                 .option_count = ARRAY_LEN(keys),
                                                 .one_of = names,
                                                 .one_of_required = true};
    static const struct option inner[] = {{.name = "choice",
                                           .type = OPT_SECTION,
                                           .offset = offsetof(struct holder, choice),
                                           .section = &choice,
                                           .help = "One."}};
    static const struct option_section whole = {
        .name = "whole", .size = sizeof(struct holder), .options = inner, .option_count = ARRAY_LEN(inner)};
    static const struct node empty = {.kind = NODE_MAPPING};
    struct buf out = BUF_INIT(1 << 20);
    struct arena *arena = arena_new(0);
    struct holder config = {0};
    struct node *root;
    struct diag diag;
    diag_init(&diag);
    ck_assert_int_eq(option_parse(&whole, &empty, arena, &config, &diag), ERR_CONFIG);
    diag_deinit(&diag);
    option_write_schema(&whole, "whole", false, &out);
    ck_assert_int_eq(json_parse(arena, buf_str(&out), &root, NULL), 0);
    assert_text(at(at(at(root, "$defs"), "section0"), "required")->items[0], "choice");
    buf_deinit(&out);
    arena_free(arena);
}
END_TEST

/* The parser takes a scalar with quotes as one without. */
START_TEST(schema_allows_quotes_where_the_parser_does_and_no_number_where_a_unit_is_wanted)
{
    struct buf out = BUF_INIT(1 << 20);
    struct arena *arena = arena_new(0);
    struct node *root;
    struct error err;
    option_write_schema(&fix_section, "fix", false, &out);
    ck_assert_int_eq(json_parse(arena, buf_str(&out), &root, &err), 0);
    const struct node *file = at(at(root, "$defs"), "section0"), *properties = at(file, "properties");
    const struct node *codes = at(at(properties, "codes"), "items");
    assert_text(at(codes, "type")->items[1], "string");
    assert_text(at(codes, "pattern"), "^[+-]?[0-9]+$");
    assert_text(at(at(properties, "wait"), "minimum"), "0");
    buf_deinit(&out);
    arena_free(arena);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("option_schema");
    TCase *tests = tcase_create("option_schema");
    tcase_add_test(tests, schema_is_json_that_follows_the_table);
    tcase_add_test(tests, schema_refuses_what_the_parser_misses);
    tcase_add_test(tests, schema_requires_a_section_of_which_one_key_must_be_given);
    tcase_add_test(tests, schema_allows_quotes_where_the_parser_does_and_no_number_where_a_unit_is_wanted);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
