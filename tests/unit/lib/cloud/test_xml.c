#include "lib/cloud/xml.h"
#include "tests/support/support.h"

static struct arena *arena;

static void begin(void)
{
    arena = arena_new(0);
}

static void end(void)
{
    arena_free(arena);
}

static const struct xml *parsed(const char *text)
{
    const struct xml *root = NULL;
    struct error err = {0};
    ck_assert_msg(xml_parse(str_from(text), arena, &root, &err) == 0, "%s: %s", text, err.message);
    return root;
}

START_TEST(elements_and_texts)
{
    const struct xml *root = parsed(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- hello -->\n"
        "<a xmlns=\"https://x/\" b = 'c>d'>\n <n>1</n>\n <m/>\n <n> two </n><n></n>\n</a>\n<!-- bye -->\n");
    ck_assert(str_equal(root->name, STR("a")));
    ck_assert_uint_eq(root->text.len, 0);
    const struct xml *n = xml_child(root, "n");
    ck_assert_str_eq(xml_text(root, "n"), "1");
    n = xml_again(n);
    ck_assert_str_eq(n->text.ptr, " two ");
    n = xml_again(n);
    ck_assert_str_eq(n->text.ptr, "");
    ck_assert_ptr_null(xml_again(n));
    ck_assert_ptr_nonnull(xml_child(root, "m"));
    ck_assert_str_eq(xml_text(root, "missing"), "");
    ck_assert_str_eq(xml_text(NULL, "missing"), "");
    ck_assert_ptr_null(xml_child(xml_child(root, "m"), "x"));
}
END_TEST

START_TEST(entities_and_cdata_are_text)
{
    ck_assert_str_eq(parsed("<a>&lt;&amp;&gt;&quot;&apos;&#233;&#xE9;&#x1F600;&#8364;</a>")->text.ptr,
                     "<&>\"'\u00e9\u00e9\U0001F600\u20ac");
    ck_assert_str_eq(parsed("<a>x<![CDATA[<b>&amp;]]>y<!-- c -->z</a>")->text.ptr, "x<b>&amp;yz");
    ck_assert_str_eq(parsed("\xEF\xBB\xBF<a>x</a>")->text.ptr, "x");
}
END_TEST

START_TEST(what_is_not_well_formed_is_refused)
{
    static const char *const texts[] = {
        "",
        " ",
        "a",
        "<",
        "<a",
        "<a>",
        "<a></b>",
        "<a></a",
        "<a></a>x",
        "<a></a><b></b>",
        "</a>",
        "<a/ >",
        "<a b></a>",
        "<a b=c></a>",
        "<a b=\"c></a>",
        "<a b=\"<\"/>",
        "<a b=\"1\"c=\"2\"/>",
        "<1/>",
        "< a/>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        "<a>&b;</a>",
        "<a>&amp</a>",
        "<a>&#0;</a>",
        "<a>&#xD800;</a>",
        "<a>&#x110000;</a>",
        "<a>&#;</a>",
        "<a>&#x;</a>",
        "<a>&#99999999999;</a>",
        "<a>&#1a;</a>",
        "<a><?php x?></a>",
        "<a><!-- a -- b --></a>",
        "<a><!-- </a>",
        "<a><![CDATA[x</a>",
        "<a>x<b/></a>",
        "<a><b/>x</a>",
        "<a>\x01</a>",
        "<a>\xff</a>",
        "<?xml version='1.0'<a/>",
        "<a><b></a></b>",
        "<html><br></html>",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const struct xml *root = NULL;
        struct error err = {0};
        ck_assert_msg(xml_parse(str_from(texts[i]), arena, &root, &err) == ERR_PARSE, "%s", texts[i]);
        ck_assert_contains(err.message, "not the XML it should be");
        ck_assert_ptr_null(root);
    }
}
END_TEST

START_TEST(depth_and_number_are_bounded)
{
    struct buf text = BUF_INIT(2UL << 20);
    const struct xml *root;
    for (unsigned i = 0; i < XML_DEPTH_MAX; i++)
        buf_append_text(&text, "<a>");
    for (unsigned i = 0; i < XML_DEPTH_MAX; i++)
        buf_append_text(&text, "</a>");
    ck_assert_int_eq(xml_parse(buf_str(&text), arena, &root, NULL), 0);
    buf_reset(&text);
    for (unsigned i = 0; i <= XML_DEPTH_MAX; i++)
        buf_append_text(&text, "<a>");
    ck_assert_int_eq(xml_parse(buf_str(&text), arena, &root, NULL), ERR_LIMIT);
    buf_reset(&text);
    buf_append_text(&text, "<a>");
    for (unsigned i = 0; i < XML_ELEMENTS_MAX; i++)
        buf_append_text(&text, "<b/>");
    buf_append_text(&text, "</a>");
    ck_assert_int_eq(xml_parse(buf_str(&text), arena, &root, NULL), ERR_LIMIT);
    buf_deinit(&text);
}
END_TEST

static Suite *xml_suite(void)
{
    Suite *suite = suite_create("xml");
    TCase *tcase = tcase_create("xml");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, elements_and_texts);
    tcase_add_test(tcase, entities_and_cdata_are_text);
    tcase_add_test(tcase, what_is_not_well_formed_is_refused);
    tcase_add_test(tcase, depth_and_number_are_bounded);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(xml_suite)
