#include "lib/net/compress.h"

#include "tests/support/support.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void build_stream(struct buf *out, const struct str *parts, size_t count, int level)
{
    CLEANUP(compressor_free_cleanup) struct compressor *compressor = compressor_new(level);
    struct gzip_block trailer = {0}, block;
    compress_gzip_header(out);
    for (size_t i = 0; i < count; i++) {
        compress_block(compressor, parts[i], out, &block);
        compress_gzip_add(&trailer, &block);
    }
    compress_gzip_trailer(&trailer, out);
    ck_assert(!out->failed);
}

/* Text that compresses, then bytes that do not. */
static void fill(struct buf *text, struct buf *noise)
{
    uint64_t state = 1;
    while (text->len < 300000)
        buf_printf(text, "http_requests_total{code=\"%zu\"} %zu\n", text->len % 7, text->len);
    while (noise->len < 200000) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        buf_append_byte(noise, (char)(state >> 56));
    }
}

/* What an outside program makes of `in`. */
static void pipe_through(const char *command, const struct buf *in, struct buf *out)
{
    char *folder = test_folder_new(), *in_path = test_path(folder, "in"),
         *out_path = test_path(folder, "out");
    test_file_write(in_path, buf_str(in));
    int status = 0;
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (chdir(folder) == 0)
            (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(status == 0, "%s", command);
    FILE *file = fopen(out_path, "re");
    ck_assert_ptr_nonnull(file);
    char bytes[4096];
    size_t got;
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0)
        buf_append(out, bytes, got);
    (void)fclose(file);
    free(in_path);
    free(out_path);
    test_folder_remove(folder);
}

START_TEST(a_stream_of_blocks_is_read_whole_by_everybody)
{
    static const char *const readers[] = {
        "gzip -dc <in >out",
        "python3 -c 'import zlib,sys; d=zlib.decompressobj(31); o=d.decompress(open(\"in\",\"rb\").read()); "
        "assert d.eof and not d.unused_data; open(\"out\",\"wb\").write(o)'",
    };
    struct buf text = BUF_INIT(1UL << 20), noise = BUF_INIT(1UL << 20), whole = BUF_INIT(4UL << 20);
    fill(&text, &noise);
    const struct str parts[] = {buf_str(&text), STR(""), buf_str(&noise), STR("x"), buf_str(&text)};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        buf_append_str(&whole, parts[i]);
    CLEANUP(decompressor_free_cleanup) struct decompressor *decompressor = decompressor_new();
    for (int level = 1; level <= 9; level += 4) {
        struct buf stream = BUF_INIT(4UL << 20), plain = BUF_INIT(4UL << 20);
        struct error err;
        build_stream(&stream, parts, ARRAY_LEN(parts), level);
        ck_assert_uint_lt(stream.len, whole.len / 2);
        ck_assert_msg(decompress_gzip(decompressor, buf_str(&stream), &plain, &err) == 0, "%s", err.message);
        ck_assert(str_equal(buf_str(&plain), buf_str(&whole)));
        for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
            buf_reset(&plain);
            pipe_through(readers[i], &stream, &plain);
            ck_assert_msg(str_equal(buf_str(&plain), buf_str(&whole)), "%s", readers[i]);
        }
        buf_deinit(&stream);
        buf_deinit(&plain);
    }
    buf_deinit(&text);
    buf_deinit(&noise);
    buf_deinit(&whole);
}
END_TEST

START_TEST(blocks_can_be_kept_and_put_together_anew)
{
    CLEANUP(compressor_free_cleanup) struct compressor *compressor = compressor_new(1);
    CLEANUP(decompressor_free_cleanup) struct decompressor *decompressor = decompressor_new();
    struct buf a = BUF_INIT(4096), b = BUF_INIT(4096), stream = BUF_INIT(4096), plain = BUF_INIT(4096);
    struct gzip_block block_a, block_b;
    compress_block(compressor, STR("alpha "), &a, &block_a);
    compress_block(compressor, STR("alpha beta "), &b, &block_b);
    static const char orders[] = "abba";
    struct gzip_block trailer = {0};
    compress_gzip_header(&stream);
    for (const char *c = orders; *c; c++) {
        buf_append_str(&stream, buf_str(*c == 'a' ? &a : &b));
        compress_gzip_add(&trailer, *c == 'a' ? &block_a : &block_b);
    }
    compress_gzip_trailer(&trailer, &stream);
    ck_assert_int_eq(decompress_gzip(decompressor, buf_str(&stream), &plain, NULL), 0);
    ck_assert_str_eq(buf_text(&plain), "alpha alpha beta alpha beta alpha ");
    /* Several members are one message, too. */
    size_t len = stream.len;
    char *copy = xstrndup(buf_str(&stream));
    buf_append(&stream, copy, len);
    buf_reset(&plain);
    ck_assert_int_eq(decompress_gzip(decompressor, buf_str(&stream), &plain, NULL), 0);
    ck_assert_uint_eq(plain.len, 2 * strlen("alpha alpha beta alpha beta alpha "));
    free(copy);
    buf_deinit(&a);
    buf_deinit(&b);
    buf_deinit(&stream);
    buf_deinit(&plain);
}
END_TEST

START_TEST(a_full_buffer_fails_the_block)
{
    CLEANUP(compressor_free_cleanup) struct compressor *compressor = compressor_new(1);
    struct buf small = BUF_INIT(8);
    struct gzip_block block;
    compress_block(compressor, STR("more than eight bytes"), &small, &block);
    ck_assert(small.failed);
    buf_deinit(&small);
}
END_TEST

START_TEST(damage_is_an_error_and_leaves_no_bytes)
{
    CLEANUP(decompressor_free_cleanup) struct decompressor *decompressor = decompressor_new();
    struct buf stream = BUF_INIT(1UL << 16), plain = BUF_INIT(1UL << 16);
    struct error err;
    const struct str part = STR("some text that is long enough to be worth it, it is, it is");
    build_stream(&stream, &part, 1, 6);
    size_t harmless = 0;
    buf_append_text(&plain, "kept");
    for (size_t len = 0; len < stream.len; len++) /* every early end */
        ck_assert_int_eq(decompress_gzip(decompressor, (struct str){stream.data, len}, &plain, &err),
                         ERR_PARSE);
    for (size_t i = 10; i < stream.len; i++) { /* and every flipped bit of a byte */
        stream.data[i] = (char)(stream.data[i] ^ 0x10);
        int rc = decompress_gzip(decompressor, buf_str(&stream), &plain, &err);
        /* The bits that fill up a byte after the end of a block mean nothing. */
        ck_assert_msg(rc < 0 || str_ends(buf_str(&plain), part), "byte %zu", i);
        harmless += rc == 0;
        plain.len = 4;
        stream.data[i] = (char)(stream.data[i] ^ 0x10);
    }
    ck_assert_uint_le(harmless, 3);
    buf_append_byte(&stream, 'x');
    ck_assert_int_eq(decompress_gzip(decompressor, buf_str(&stream), &plain, &err), ERR_PARSE);
    ck_assert_str_eq(buf_text(&plain), "kept");
    buf_deinit(&stream);
    buf_deinit(&plain);
}
END_TEST

START_TEST(bombs_end_at_the_limit)
{
    CLEANUP(decompressor_free_cleanup) struct decompressor *decompressor = decompressor_new();
    struct buf zeros = BUF_INIT(32UL << 20), stream = BUF_INIT(1UL << 20);
    struct error err;
    ck_assert(buf_reserve(&zeros, 20000000));
    memset(zeros.data, 0, 20000000);
    zeros.len = 20000000;
    const struct str part = buf_str(&zeros);
    build_stream(&stream, &part, 1, 9);
    ck_assert_uint_lt(stream.len, 40000);
    struct buf small = BUF_INIT(19999999), exact = BUF_INIT(20000000);
    ck_assert_int_eq(decompress_gzip(decompressor, buf_str(&stream), &small, &err), ERR_LIMIT);
    ck_assert_uint_eq(small.len, 0);
    ck_assert_int_eq(decompress_gzip(decompressor, buf_str(&stream), &exact, &err), 0);
    ck_assert_uint_eq(exact.len, 20000000);
    /* A trailer that promises 4 GiB makes us take no more than the data can become. */
    struct buf liar = BUF_INIT(64UL << 30);
    memset(stream.data + stream.len - 4, 0xff, 4);
    ck_assert_int_eq(decompress_gzip(decompressor, buf_str(&stream), &liar, &err), ERR_PARSE);
    ck_assert_uint_lt(liar.cap, 2 * COMPRESS_MAX_RATIO * stream.len);
    buf_deinit(&zeros);
    buf_deinit(&stream);
    buf_deinit(&small);
    buf_deinit(&exact);
    buf_deinit(&liar);
}
END_TEST

START_TEST(deflate_is_read_with_and_without_its_wrapper)
{
    static const unsigned char zlib_hello[] = {0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9,
                                               0x07, 0x00, 0x06, 0x2c, 0x02, 0x15};
    CLEANUP(decompressor_free_cleanup) struct decompressor *decompressor = decompressor_new();
    const char *bytes = (const char *)zlib_hello;
    struct buf plain = BUF_INIT(4096);
    struct error err;
    ck_assert_int_eq(decompress_zlib(decompressor, (struct str){bytes, sizeof zlib_hello}, &plain, &err), 0);
    ck_assert_int_eq(
        decompress_zlib(decompressor, (struct str){bytes + 2, sizeof zlib_hello - 6}, &plain, &err), 0);
    ck_assert_str_eq(buf_text(&plain), "hellohello");
    ck_assert_int_eq(decompress_zlib(decompressor, (struct str){bytes, sizeof zlib_hello - 1}, &plain, &err),
                     ERR_PARSE);
    ck_assert_int_eq(decompress_zlib(decompressor, (struct str){bytes, 0}, &plain, &err), ERR_PARSE);
    ck_assert_str_eq(buf_text(&plain), "hellohello");
    struct buf tiny = BUF_INIT(4);
    ck_assert_int_eq(decompress_zlib(decompressor, (struct str){bytes, sizeof zlib_hello}, &tiny, &err),
                     ERR_LIMIT);
    buf_deinit(&plain);
    buf_deinit(&tiny);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("compress");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_stream_of_blocks_is_read_whole_by_everybody);
    tcase_add_test(t, blocks_can_be_kept_and_put_together_anew);
    tcase_add_test(t, a_full_buffer_fails_the_block);
    tcase_add_test(t, damage_is_an_error_and_leaves_no_bytes);
    tcase_add_test(t, bombs_end_at_the_limit);
    tcase_add_test(t, deflate_is_read_with_and_without_its_wrapper);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
