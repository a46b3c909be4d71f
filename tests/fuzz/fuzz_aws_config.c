/* Files of AWS profiles: the first byte says which of the two kinds. What was read is found again. */
#include "lib/cloud/aws_config.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 64UL * 1024)
        return 0;
    struct arena *arena = arena_new(0);
    struct aws_config config;
    struct error err = {0};
    enum aws_config_kind kind = data[0] & 1 ? AWS_CONFIG_FILE : AWS_CREDENTIALS_FILE;
    aws_config_init(&config);
    buf_append(kind == AWS_CONFIG_FILE ? &config.config : &config.credentials, data + 1, size - 1);
    if (aws_config_parse(&config, kind, "file", arena, &err)) {
        assert(err.message[0] && err.line);
    } else {
        for (size_t i = 0; i < config.count; i++) {
            const struct aws_setting *setting = &config.settings[i];
            assert(aws_config_has(&config, setting->profile));
            assert(!setting->value[0] || aws_config_find(&config, setting->profile, setting->key) == setting);
        }
    }
    aws_config_deinit(&config);
    arena_free(arena);
    return 0;
}
