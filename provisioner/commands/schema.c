/* `fraiseql deploy schema`: the file's JSON Schema, for editors; --reference is for docs/deployment.md. */
#include "provisioner/commands/commands.h"

#define DOCUMENT_MAX_BYTES (4UL * 1024 * 1024)

static void write_reference(struct buf *out)
{
    buf_append_text(
        out, "# The deployment file\n\nEvery key of the file that `fraiseql deploy` reads. This page is "
             "written by "
             "`scripts/reference` from the tables that the program itself reads the file with.\n\n"
             "`fraiseql deploy init` writes a first file, `fraiseql deploy validate FILE` reports everything "
             "that is wrong with one, and `fraiseql deploy schema` prints a JSON Schema for editors.\n\n");
    option_write_markdown(deployment_section(), out);
}

static int run(struct command_context *ctx)
{
    struct buf text = BUF_INIT(DOCUMENT_MAX_BYTES);
    if (command_given(ctx, "--reference")) {
        write_reference(&text);
    } else {
        option_write_schema(deployment_section(), "fraiseql-deployment.yaml", true, &text);
        if (!text.len || text.data[text.len - 1] != '\n')
            buf_append_byte(&text, '\n');
    }
    if (!ctx->json) {
        output_text(ctx->out, buf_str(&text));
    } else if (!command_given(ctx, "--reference")) {
        struct buf record = BUF_INIT(DOCUMENT_MAX_BYTES);
        struct json_writer json;
        json_init(&json, &record);
        json_object_begin(&json);
        json_kv_text(&json, "type", "schema");
        json_key(&json, "schema");
        json_raw(&json, str_trim(buf_str(&text)));
        json_object_end(&json);
        output_json(ctx->out, buf_str(&record));
        buf_deinit(&record);
    }
    buf_deinit(&text);
    return STATUS_OK;
}

static const struct command_flag flags[] = {{"--reference", NULL, NULL}, {NULL, NULL, NULL}};

const struct command command_schema = {
    .name = "schema",
    .operands = "",
    .summary = "Prints the JSON Schema of the file",
    .details = "For editors: the YAML language server takes it by a first line such as # "
               "yaml-language-server: $schema=deployment.schema.json",
    .flags = flags,
    .run = run,
};
