#include "collector/process.h"

#include "lib/core/file.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PROC_FILE_BYTES 8192

static bool read_proc(const char *path, struct buf *text)
{
    struct error err;
    return file_read(path, text, &err) == 0 && text->len > 0;
}

/* The n-th (from 0) blank-separated field. */
static uint64_t field(struct str text, unsigned n)
{
    while (text.len) {
        const char *blank = memchr(text.ptr, ' ', text.len);
        size_t length = blank ? (size_t)(blank - text.ptr) : text.len;
        if (n-- == 0) {
            uint64_t value;
            return str_to_u64(str_trim((struct str){text.ptr, length}), &value) ? value : 0;
        }
        if (!blank)
            break;
        text.ptr += length + 1;
        text.len -= length + 1;
    }
    return 0;
}

uint64_t process_resident_bytes(void)
{
    struct buf text = BUF_INIT(PROC_FILE_BYTES);
    uint64_t pages = read_proc("/proc/self/statm", &text) ? field(buf_str(&text), 1) : 0;
    buf_deinit(&text);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static double boot_time_seconds(void)
{
    struct timespec now, up;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
        return 0;
    return (double)(now.tv_sec - up.tv_sec) + (double)(now.tv_nsec - up.tv_nsec) / 1e9;
}

static void read_stat(struct process_stats *stats)
{
    struct buf text = BUF_INIT(PROC_FILE_BYTES);
    if (read_proc("/proc/self/stat", &text)) {
        /* The second field is the name in parentheses and may hold blanks: count from its end (field 3 is
         * [0]). */
        const char *close = memrchr(text.data, ')', text.len);
        struct str rest =
            close ? (struct str){close + 2, text.len - (size_t)(close + 2 - text.data)} : STR("");
        double ticks = (double)sysconf(_SC_CLK_TCK);
        stats->cpu_seconds = (double)(field(rest, 11) + field(rest, 12)) / ticks;
        stats->threads = field(rest, 17);
        stats->start_time_seconds = boot_time_seconds() + (double)field(rest, 19) / ticks;
        stats->virtual_bytes = field(rest, 20);
    }
    buf_deinit(&text);
}

static uint64_t count_fds(void)
{
    uint64_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return 0;
    while (readdir(folder))
        count++;
    (void)closedir(folder);
    return count > 3 ? count - 3 : 0; /* ".", ".." and the folder's own descriptor */
}

void process_read_stats(struct process_stats *ret_stats)
{
    *ret_stats = (struct process_stats){0};
    read_stat(ret_stats);
    ret_stats->resident_bytes = process_resident_bytes();
    ret_stats->open_fds = count_fds();
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        ret_stats->max_fds = limit.rlim_cur;
}
