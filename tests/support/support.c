#include "tests/support/support.h"

#include "lib/core/file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static NO_RETURN void give_up(const char *what)
{
    (void)fprintf(stderr, "test support: %s\n", what);
    abort();
}

char *test_folder_new(void)
{
    const char *base = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): before any thread
    char path[512];
    (void)snprintf(path, sizeof path, "%s/fraiseql-test-XXXXXX", base && base[0] ? base : "/tmp");
    if (!mkdtemp(path))
        give_up("cannot create a temporary folder");
    return xstrdup(path);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void test_folder_remove(char *folder)
{
    if (!folder)
        return;
    (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

char *test_path(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = xmalloc(size);
    (void)snprintf(path, size, "%s/%s", folder, name);
    return path;
}

void test_file_write(const char *path, struct str bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        give_up(path);
    while (bytes.len) {
        ssize_t wrote = write(fd, bytes.ptr, bytes.len);
        if (wrote <= 0)
            give_up(path);
        bytes.ptr += wrote;
        bytes.len -= (size_t)wrote;
    }
    (void)close(fd);
}

char *test_file_read(const char *path)
{
    struct error err;
    struct buf bytes = BUF_INIT(256UL * 1024 * 1024);
    if (file_read(path, &bytes, &err))
        give_up(err.message);
    return buf_take(&bytes);
}

uint16_t test_free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        give_up("no free port");
    (void)close(fd);
    return ntohs(address.sin_port);
}

char *test_diag_text(const struct diag *diag)
{
    char path[] = "/tmp/fraiseql-diag-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        give_up("cannot create a temporary file");
    diag_print(diag, fd);
    char *text = test_file_read(path);
    (void)close(fd);
    (void)unlink(path);
    return text;
}

const char *test_source_dir(void)
{
    const char *folder = getenv("TEST_SOURCE_DIR"); // NOLINT(concurrency-mt-unsafe): before any thread
    return folder && folder[0] ? folder : ".";
}

int test_run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    if (!getenv("CK_FORK")) // NOLINT(concurrency-mt-unsafe): before any thread
        srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    int run = srunner_ntests_run(runner);
    srunner_free(runner);
    if (!run)
        (void)fprintf(stderr, "no test ran\n");
    return failed || !run ? 1 : 0;
}
