#include "provisioner/aws/gateway_report.h"

#include "provisioner/aws/json_call.h"

#define ACTION       "GetParameter"
#define ANSWER_BYTES (256UL * 1024)

int aws_gateway_report_read(struct str body, struct arena *arena, struct str *ret_text, struct error *err)
{
    struct node *root = NULL;
    *ret_text = STR("");
    if (json_parse(arena, body, &root, NULL) == 0) {
        const struct node *value = node_member(node_member(root, "Parameter"), "Value");
        if (value && value->kind == NODE_SCALAR && !value->plain) {
            *ret_text = value->scalar;
            return 0;
        }
    }
    return error_set(err, ERR_PEER, ACTION " was answered with something else than a parameter");
}

static int ask(struct aws_json *json, const char *place, struct arena *arena, struct str *ret_text)
{
    struct buf body = BUF_INIT(4096);
    struct json_writer writer;
    struct http_response answer;
    struct aws_failure failure;
    json_init(&writer, &body);
    json_object_begin(&writer);
    json_kv_text(&writer, "Name", place);
    json_object_end(&writer);
    int code = aws_json_call(json, buf_str(&body), arena, &answer, &failure);
    buf_deinit(&body);
    if (code && strcmp(failure.code, "ParameterNotFound") == 0)
        return error_set(json->err, ERR_PEER, "the parameter %s is not there", place);
    return code ? code : aws_gateway_report_read(answer.body, arena, ret_text, json->err);
}

int aws_gateway_report(const struct region *region, const char *place, int64_t deadline_mono_ns,
                       struct arena *arena, struct str *ret_text, struct error *err)
{
    struct aws_json json = {.action = ACTION,
                            .target = "AmazonSSM." ACTION,
                            .max_answer_bytes = ANSWER_BYTES,
                            .deadline_mono_ns = deadline_mono_ns,
                            .err = err};
    int code = aws_json_open(&json, "ssm", region, arena);
    if (!code)
        code = ask(&json, place, arena, ret_text);
    aws_json_close(&json);
    return code;
}
