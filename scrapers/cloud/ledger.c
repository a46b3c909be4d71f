#include "scrapers/cloud/ledger.h"

#include "lib/core/arena.h"
#include "lib/core/hash.h"

#include <math.h>
#include <stdlib.h>

#define LEARN_WINDOW_NS (3600 * NS_PER_S)
#define STORE_EVERY_NS  (1800 * NS_PER_S) /* a cursor that moves without a change is stored so often */
#define WIDTH_MAX       4096U
#define OPEN_MAX        200000U
#define VERSION         1U

/* --- learning ------------------------------------------------------------------------------------------ */

void cloud_settle_init(struct cloud_settle *settle, int64_t first_ns, int64_t max_ns)
{
    *settle = (struct cloud_settle){.first_ns = first_ns, .max_ns = max_ns};
}

void cloud_settle_learn(struct cloud_settle *settle, int64_t age_ns, int64_t now_ns)
{
    if (now_ns - settle->since_ns > LEARN_WINDOW_NS || now_ns < settle->since_ns) {
        settle->former_ns = now_ns - settle->since_ns > 2 * LEARN_WINDOW_NS ? 0 : settle->current_ns;
        settle->current_ns = 0;
        settle->since_ns = now_ns;
    }
    if (age_ns > settle->current_ns)
        settle->current_ns = age_ns;
}

int64_t cloud_settle_ns(const struct cloud_settle *settle)
{
    int64_t ns = settle->first_ns;
    ns = settle->current_ns > ns ? settle->current_ns : ns;
    ns = settle->former_ns > ns ? settle->former_ns : ns;
    return ns > settle->max_ns ? settle->max_ns : ns;
}

/* --- life ---------------------------------------------------------------------------------------------- */

void cloud_account_init(struct cloud_account *account, bool counts)
{
    *account = (struct cloud_account){.counts = counts};
}

void cloud_account_deinit(struct cloud_account *account)
{
    free(account->bounds);
    free(account->totals);
    free(account->rest);
    free(account->debts);
    free(account->shown);
    free(account->open_starts);
    free(account->open_values);
    *account = (struct cloud_account){0};
}

static size_t bound_count(const struct cloud_account *account)
{
    return account->bounds && account->width >= 2 ? account->width - 2 : 0;
}

/* Begins anew what belongs to a width; the cursor stays. */
static void set_width(struct cloud_account *account, uint32_t width, const double *bounds)
{
    struct cloud_account fresh = {.counts = account->counts,
                                  .width = width,
                                  .closed_ns = account->closed_ns,
                                  .read_to_ns = account->read_to_ns,
                                  .read_at_ns = account->read_at_ns,
                                  .stored_closed_ns = account->stored_closed_ns,
                                  .dirty = true};
    if (bounds && width >= 2) {
        fresh.bounds = xcalloc(width - 1, sizeof(double));
        memcpy(fresh.bounds, bounds, (width - 2) * sizeof(double));
    }
    if (account->counts) {
        fresh.totals = xcalloc(width, sizeof(double));
        fresh.rest = xcalloc(width, sizeof(double));
        fresh.debts = xcalloc(width, sizeof(double));
    }
    cloud_account_deinit(account);
    *account = fresh;
}

static bool same_layout(const struct cloud_account *account, uint32_t width, const double *bounds)
{
    if (account->width != width || (account->bounds != NULL) != (bounds != NULL))
        return false;
    return !bounds || memcmp(account->bounds, bounds, bound_count(account) * sizeof *bounds) == 0;
}

/* --- taking -------------------------------------------------------------------------------------------- */

/* Neumaier's sum: what adding loses is kept, so that millions of buckets do not drift. */
static void add_exactly(double *sum, double *rest, double value)
{
    double next = *sum + value;
    *rest += fabs(*sum) >= fabs(value) ? (*sum - next) + value : (value - next) + *sum;
    *sum = next;
}

static void add_difference(struct cloud_account *account, uint32_t at, double difference)
{
    if (!account->counts || difference == 0)
        return;
    if (difference < 0) {
        account->debts[at] -= difference;
        return;
    }
    double paid = account->debts[at] < difference ? account->debts[at] : difference;
    account->debts[at] -= paid;
    if (difference > paid)
        add_exactly(&account->totals[at], &account->rest[at], difference - paid);
}

/* Index of the first open bucket that does not begin before start_ns. */
static size_t find_open(const struct cloud_account *account, int64_t start_ns)
{
    size_t low = 0, high = account->open_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (account->open_starts[middle] < start_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static double *insert_open(struct cloud_account *account, size_t at, int64_t start_ns)
{
    size_t width = account->width;
    if (account->open_count == account->open_capacity) {
        account->open_capacity = account->open_capacity ? account->open_capacity * 2 : 4;
        account->open_starts = xrealloc(account->open_starts, account->open_capacity * sizeof(int64_t));
        account->open_values =
            xrealloc(account->open_values, account->open_capacity * width * sizeof(double));
    }
    size_t behind = account->open_count - at;
    double *values = account->open_values + at * width;
    memmove(account->open_starts + at + 1, account->open_starts + at, behind * sizeof(int64_t));
    memmove(values + width, values, behind * width * sizeof(double));
    memset(values, 0, width * sizeof(double));
    account->open_starts[at] = start_ns;
    account->open_count++;
    return values;
}

static void take_one(struct cloud_account *account, const struct cloud_bucket *bucket, int64_t period_ns,
                     int64_t now_ns, struct cloud_settle *settle)
{
    size_t at = find_open(account, bucket->start_ns);
    bool known = at < account->open_count && account->open_starts[at] == bucket->start_ns;
    double *values =
        known ? account->open_values + at * account->width : insert_open(account, at, bucket->start_ns);
    bool changed = !known;
    for (uint32_t i = 0; i < account->width; i++) {
        changed = changed || values[i] != bucket->values[i];
        add_difference(account, i, bucket->values[i] - values[i]);
        values[i] = bucket->values[i];
    }
    if (!changed)
        return;
    account->dirty = true;
    /* The last read could have seen the bucket as it is now, and did not. */
    int64_t end_ns = bucket->start_ns + period_ns;
    if (account->read_at_ns >= end_ns && account->read_to_ns >= end_ns)
        cloud_settle_learn(settle, now_ns - end_ns, now_ns);
}

static int compare_starts(const void *a, const void *b)
{
    const struct cloud_bucket *left = a, *right = b;
    return left->start_ns < right->start_ns ? -1 : left->start_ns > right->start_ns;
}

/* qsort() may swap equals: insertion keeps the order in which they were told, and most answers are short. */
static void sort_buckets(struct cloud_bucket *buckets, size_t count)
{
    bool sorted = true, reversed = true;
    for (size_t i = 1; i < count; i++) {
        sorted = sorted && buckets[i - 1].start_ns <= buckets[i].start_ns;
        reversed = reversed && buckets[i - 1].start_ns > buckets[i].start_ns;
    }
    if (sorted)
        return;
    if (reversed || count > 64) {
        qsort(buckets, count, sizeof *buckets, compare_starts);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct cloud_bucket moved = buckets[i];
        size_t at = i;
        for (; at > 0 && buckets[at - 1].start_ns > moved.start_ns; at--)
            buckets[at] = buckets[at - 1];
        buckets[at] = moved;
    }
}

void cloud_account_take(struct cloud_account *account, struct cloud_bucket *buckets, size_t count,
                        uint32_t width, const double *bounds, int64_t from_ns, int64_t period_ns,
                        int64_t now_ns, struct cloud_settle *settle)
{
    if (count == 0 || width == 0 || width > WIDTH_MAX)
        return;
    if (!same_layout(account, width, bounds))
        set_width(account, width, bounds);
    if (account->closed_ns == 0)
        account->closed_ns = from_ns;
    sort_buckets(buckets, count);
    for (size_t i = 0; i < count; i++) {
        bool again = i + 1 < count && buckets[i + 1].start_ns == buckets[i].start_ns;
        if (!again && buckets[i].start_ns >= account->closed_ns)
            take_one(account, &buckets[i], period_ns, now_ns, settle);
    }
}

void cloud_account_close(struct cloud_account *account, int64_t to_ns, int64_t period_ns, int64_t now_ns,
                         int64_t late_ns)
{
    int64_t end_ns = (to_ns < now_ns ? to_ns : now_ns) - late_ns;
    end_ns -= end_ns % period_ns;
    account->read_to_ns = to_ns;
    account->read_at_ns = now_ns;
    if (end_ns > account->closed_ns)
        account->closed_ns = end_ns;
    size_t gone = find_open(account, account->closed_ns);
    if (gone == account->open_count && gone > 0)
        gone--; /* the newest one is shown */
    size_t kept = account->open_count - gone;
    if (gone > 0) {
        memmove(account->open_starts, account->open_starts + gone, kept * sizeof(int64_t));
        memmove(account->open_values, account->open_values + gone * account->width,
                kept * account->width * sizeof(double));
        account->open_count = kept;
    }
    if (account->counts && account->closed_ns - account->stored_closed_ns >= STORE_EVERY_NS)
        account->dirty = true;
}

/* --- showing ------------------------------------------------------------------------------------------- */

bool cloud_account_latest(const struct cloud_account *account, int64_t period_ns, int64_t now_ns,
                          int64_t settle_ns, int64_t stale_ns, struct cloud_bucket *ret_bucket)
{
    for (size_t i = account->open_count; i-- > 0;) {
        int64_t end_ns = account->open_starts[i] + period_ns;
        if (now_ns - end_ns > stale_ns)
            return false;
        if (end_ns + settle_ns <= account->read_at_ns) {
            *ret_bucket =
                (struct cloud_bucket){account->open_starts[i], account->open_values + i * account->width};
            return true;
        }
    }
    return false;
}

double cloud_account_total(const struct cloud_account *account, uint32_t at)
{
    return account->totals ? account->totals[at] + account->rest[at] : 0;
}

void cloud_account_show(struct cloud_account *account, const double *totals, uint32_t width)
{
    if (!account->totals || width != account->width)
        return;
    if (!account->shown)
        account->shown = xcalloc(width, sizeof(double));
    memcpy(account->shown, totals, width * sizeof(double));
}

/* --- storing ------------------------------------------------------------------------------------------- */

static void put_u64(struct buf *out, uint64_t number)
{
    for (unsigned i = 0; i < 8; i++)
        buf_append_byte(out, (char)(number >> (8 * i) & 0xff));
}

static void put_doubles(struct buf *out, const double *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &numbers[i], sizeof bits);
        put_u64(out, bits);
    }
}

void cloud_account_encode(const struct cloud_account *account, struct str query_key, struct buf *out)
{
    size_t start = out->len;
    put_u64(out, VERSION);
    put_u64(out, query_key.len);
    buf_append_str(out, query_key);
    put_u64(out, account->width);
    put_u64(out, account->bounds ? 1 : 0);
    put_u64(out, (uint64_t)account->closed_ns);
    put_u64(out, (uint64_t)account->read_to_ns);
    put_u64(out, (uint64_t)account->read_at_ns);
    put_u64(out, account->open_count);
    put_doubles(out, account->bounds, bound_count(account));
    put_doubles(out, account->totals, account->width);
    put_doubles(out, account->rest, account->width);
    put_doubles(out, account->debts, account->width);
    for (size_t i = 0; i < account->open_count; i++) {
        put_u64(out, (uint64_t)account->open_starts[i]);
        put_doubles(out, account->open_values + i * account->width, account->width);
    }
    put_u64(out, hash_stable((struct str){out->data + start, out->len - start}));
}

struct reader {
    const unsigned char *at;
    size_t left;
    bool failed;
};

static uint64_t get_u64(struct reader *reader)
{
    uint64_t number = 0;
    if (reader->left < 8) {
        reader->failed = true;
        return 0;
    }
    for (unsigned i = 0; i < 8; i++)
        number |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += 8;
    reader->left -= 8;
    return number;
}

static void get_doubles(struct reader *reader, double *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = get_u64(reader);
        memcpy(&numbers[i], &bits, sizeof bits);
        reader->failed = reader->failed || !isfinite(numbers[i]);
    }
}

static void get_arrays(struct reader *reader, struct cloud_account *account, uint64_t bounds, uint64_t open)
{
    if (bounds)
        get_doubles(reader, account->bounds, bound_count(account));
    get_doubles(reader, account->totals, account->width);
    get_doubles(reader, account->rest, account->width);
    get_doubles(reader, account->debts, account->width);
    for (uint64_t i = 0; i < open && !reader->failed; i++) {
        int64_t start_ns = (int64_t)get_u64(reader);
        if (account->open_count && start_ns <= account->open_starts[account->open_count - 1])
            reader->failed = true;
        else
            get_doubles(reader, insert_open(account, account->open_count, start_ns), account->width);
    }
}

static bool decode(struct cloud_account *account, struct reader *reader, struct str *ret_query_key)
{
    static const double no_bounds[WIDTH_MAX];
    if (get_u64(reader) != VERSION)
        return false;
    uint64_t key_len = get_u64(reader);
    if (reader->failed || key_len > reader->left)
        return false;
    *ret_query_key = (struct str){(const char *)reader->at, key_len};
    reader->at += key_len;
    reader->left -= key_len;
    uint64_t width = get_u64(reader), bounds = get_u64(reader);
    if (reader->failed || width > WIDTH_MAX || bounds > 1 || (bounds && width < 2))
        return false;
    account->closed_ns = (int64_t)get_u64(reader);
    account->read_to_ns = (int64_t)get_u64(reader);
    account->read_at_ns = (int64_t)get_u64(reader);
    uint64_t open = get_u64(reader);
    if (reader->failed || open > OPEN_MAX || account->closed_ns < 0)
        return false;
    if (width == 0)
        return open == 0 && reader->left == 0;
    set_width(account, (uint32_t)width, bounds ? no_bounds : NULL);
    get_arrays(reader, account, bounds, open);
    return !reader->failed && reader->left == 0;
}

int cloud_account_decode(struct cloud_account *account, struct str stored, struct str *ret_query_key,
                         struct error *err)
{
    struct reader seal = {.at = (const unsigned char *)stored.ptr + stored.len - 8, .left = 8};
    cloud_account_init(account, true);
    bool good = stored.len >= 8 && get_u64(&seal) == hash_stable((struct str){stored.ptr, stored.len - 8});
    struct reader reader = {.at = (const unsigned char *)stored.ptr, .left = stored.len - 8};
    if (!good || !decode(account, &reader, ret_query_key)) {
        cloud_account_deinit(account);
        return error_set(err, ERR_CORRUPT, "a stored account does not pass its check");
    }
    account->stored_closed_ns = account->closed_ns;
    account->dirty = false;
    for (uint32_t i = 0; i < account->width; i++) {
        if (!account->shown)
            account->shown = xcalloc(account->width, sizeof(double));
        account->shown[i] = cloud_account_total(account, i);
    }
    return 0;
}
