#include "scrapers/postgres/cluster.h"

#include "lib/core/arena.h"
#include "scrapers/postgres/lsn_ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_COMMIT_DELAY_NS (600 * NS_PER_MS)

struct cluster_member {
    struct cluster_member *next;
    struct cluster *cluster;
    char *target;
    char addresses[2][CLUSTER_ADDRESS_MAX];
    char upstream[CLUSTER_ADDRESS_MAX];
    int64_t interval_ns, joined_ns;
    bool identified, mismatch, sampled, visible;
    struct cluster_sample last;
    int64_t at_ns;                             /* middle of the last sample's bracket */
    struct lsn_lag lag, loss;                  /* judged when the last sample came */
    int64_t lag_evidence_ns, loss_evidence_ns; /* 0: never known to be caught up */
};

struct cluster {
    struct cluster *next;
    const void *domain;
    char *name, *system_identifier;
    char *identified_by; /* target that gave system_identifier */
    struct cluster_member *members;
    struct cluster_member *primary; /* feeds the rings; NULL: none so far */
    bool early_commits;
    struct lsn_ring durable, inserted;
};

/* Members of one cluster are created apart from each other and must meet somewhere. Touched by the scrape
 * loop's thread only (see the header). */
static struct cluster *clusters;

static struct cluster *find_cluster(const void *domain, const char *name)
{
    for (struct cluster *cluster = clusters; cluster; cluster = cluster->next) {
        if (cluster->domain == domain && strcmp(cluster->name, name) == 0)
            return cluster;
    }
    struct cluster *cluster = xcalloc(1, sizeof *cluster);
    cluster->domain = domain;
    cluster->name = xstrdup(name);
    lsn_ring_init(&cluster->durable);
    lsn_ring_init(&cluster->inserted);
    cluster->next = clusters;
    clusters = cluster;
    return cluster;
}

static const struct cluster_member *find_target(const struct cluster *cluster, const char *target)
{
    for (const struct cluster_member *member = cluster->members; member; member = member->next) {
        if (strcmp(member->target, target) == 0)
            return member;
    }
    return NULL;
}

struct cluster_member *cluster_join(const void *domain, const char *name, const char *target,
                                    int64_t interval_ns, int64_t now_ns)
{
    struct cluster_member *member = xcalloc(1, sizeof *member);

    member->cluster = find_cluster(domain, name);
    member->joined_ns = now_ns;
    /* A reload: what was known of the target goes on, so that no bound starts anew. */
    const struct cluster_member *former = find_target(member->cluster, target);
    if (former) {
        *member = *former;
        member->visible = false;
    }
    member->target = xstrdup(target);
    member->interval_ns = interval_ns;
    member->next = member->cluster->members;
    member->cluster->members = member;
    return member;
}

static void free_cluster(struct cluster *cluster)
{
    for (struct cluster **link = &clusters; *link; link = &(*link)->next) {
        if (*link == cluster) {
            *link = cluster->next;
            break;
        }
    }
    free(cluster->name);
    free(cluster->system_identifier);
    free(cluster->identified_by);
    free(cluster);
}

void cluster_leave(struct cluster_member *member)
{
    if (!member)
        return;
    struct cluster *cluster = member->cluster;
    for (struct cluster_member **link = &cluster->members; *link; link = &(*link)->next) {
        if (*link == member) {
            *link = member->next;
            break;
        }
    }
    if (cluster->primary == member)
        cluster->primary = NULL;
    free(member->target);
    free(member);
    if (!cluster->members)
        free_cluster(cluster);
}

int cluster_identify(struct cluster_member *member, const char *system_identifier, struct error *err)
{
    struct cluster *cluster = member->cluster;
    bool first = !cluster->system_identifier || !find_target(cluster, cluster->identified_by) ||
                 strcmp(cluster->identified_by, member->target) == 0;

    /* The one that spoke first is believed while it is configured; a server that was created anew under its
     * name may bring a new identity. */
    if (first &&
        (!cluster->system_identifier || strcmp(cluster->system_identifier, system_identifier) != 0)) {
        free(cluster->system_identifier);
        free(cluster->identified_by);
        cluster->system_identifier = xstrdup(system_identifier);
        cluster->identified_by = xstrdup(member->target);
        lsn_ring_init(&cluster->durable);
        lsn_ring_init(&cluster->inserted);
        cluster->primary = NULL;
    }
    member->identified = true;
    member->mismatch = strcmp(cluster->system_identifier, system_identifier) != 0;
    if (!member->mismatch)
        return 0;
    if (cluster->primary == member)
        cluster->primary = NULL;
    error_set(err, ERR_CONFLICT,
              "%s and %s are configured as members of cluster %s but are different databases (system "
              "identifiers %s and %s)",
              cluster->identified_by, member->target, cluster->name, cluster->system_identifier,
              system_identifier);
    error_set_hint(err,
                   "give one of them another `cluster`, or rebuild it from the primary with pg_basebackup");
    return ERR_CONFLICT;
}

void cluster_set_address(struct cluster_member *member, unsigned which, const char *address)
{
    snprintf(member->addresses[which & 1], CLUSTER_ADDRESS_MAX, "%s", address);
}

void cluster_set_upstream(struct cluster_member *member, const char *address)
{
    if (address && *address)
        snprintf(member->upstream, CLUSTER_ADDRESS_MAX, "%s", address);
}

const char *cluster_upstream(const struct cluster_member *member)
{
    const struct cluster *cluster = member->cluster;

    for (const struct cluster_member *other = cluster->members; other; other = other->next) {
        for (size_t i = 0; other != member && i < ARRAY_LEN(other->addresses); i++) {
            if (member->upstream[0] && strcmp(other->addresses[i], member->upstream) == 0)
                return other->target;
        }
    }
    if (member->upstream[0])
        return member->upstream;
    return cluster->primary && cluster->primary != member ? cluster->primary->target : "unknown";
}

static int64_t middle(const struct cluster_sample *sample)
{
    return sample->sent_ns + (sample->received_ns - sample->sent_ns) / 2;
}

/* Of several that call themselves primary the one of the highest timeline counts; the present one keeps a
 * tie. */
static bool becomes_primary(const struct cluster_member *member, const struct cluster_sample *sample)
{
    const struct cluster *cluster = member->cluster;

    if (sample->timeline == 0 || sample->timeline < cluster->durable.timeline)
        return false;
    return !cluster->primary || cluster->primary == member || !cluster->primary->visible ||
           sample->timeline > cluster->durable.timeline;
}

static void sample_primary(struct cluster_member *member, const struct cluster_sample *sample)
{
    struct cluster *cluster = member->cluster;

    if (cluster->primary == member && sample->timeline && sample->timeline < cluster->durable.timeline) {
        /* Restored to an earlier point under its own name: what was seen before is another history. */
        lsn_ring_init(&cluster->durable);
        lsn_ring_init(&cluster->inserted);
    }
    if (!becomes_primary(member, sample))
        return;
    int64_t at_ns = middle(sample);
    int64_t delay_ns = sample->commit_delay_ns ? sample->commit_delay_ns : DEFAULT_COMMIT_DELAY_NS;
    cluster->primary = member;
    cluster->early_commits = sample->early_commits;
    lsn_ring_add(&cluster->durable, at_ns, sample->timeline, sample->flush_lsn);
    lsn_ring_add(&cluster->inserted, at_ns, sample->timeline,
                 sample->insert_lsn > sample->flush_lsn ? sample->insert_lsn : sample->flush_lsn);
    lsn_ring_settle(&cluster->inserted, at_ns - delay_ns, sample->flush_lsn);
}

static void remember(int64_t *evidence_ns, const struct lsn_lag *lag, bool fell_back)
{
    if (lag->standing == LSN_CAUGHT_UP || lag->standing == LSN_BEHIND)
        *evidence_ns = lag->evidence_ns;
    else if (fell_back)
        *evidence_ns = 0;
}

static void sample_standby(struct cluster_member *member, const struct cluster_sample *sample)
{
    struct cluster *cluster = member->cluster;
    bool was_standby = member->sampled && member->last.standby;

    member->lag = member->loss = (struct lsn_lag){.standing = LSN_UNKNOWN};
    if (member->mismatch || sample->timeline != cluster->durable.timeline)
        return;
    int64_t at_ns = middle(sample);
    member->lag = lsn_ring_lag(cluster->early_commits ? &cluster->inserted : &cluster->durable, at_ns,
                               sample->replay_lsn);
    member->loss = lsn_ring_lag(&cluster->inserted, at_ns, sample->receive_lsn);
    remember(&member->lag_evidence_ns, &member->lag,
             was_standby && sample->replay_lsn < member->last.replay_lsn);
    remember(&member->loss_evidence_ns, &member->loss,
             was_standby && sample->receive_lsn < member->last.receive_lsn);
}

void cluster_sample(struct cluster_member *member, const struct cluster_sample *sample)
{
    struct cluster_sample fixed = *sample;

    /* While its WAL receiver is away a standby tells the timeline of its last checkpoint: it is where it was.
     */
    if (fixed.standby && member->last.standby && fixed.timeline < member->last.timeline &&
        fixed.replay_lsn >= member->last.replay_lsn)
        fixed.timeline = member->last.timeline;
    if (fixed.standby)
        sample_standby(member, &fixed);
    else if (!member->mismatch)
        sample_primary(member, &fixed);
    if (fixed.standby && member->cluster->primary == member)
        member->cluster->primary = NULL;
    member->last = fixed;
    member->at_ns = middle(&fixed);
    member->sampled = true;
    member->visible = true;
}

void cluster_lost(struct cluster_member *member)
{
    member->visible = false;
}

static bool can_be_seen(const struct cluster_member *member, int64_t now_ns)
{
    if (!member || !member->visible)
        return false;
    /* Over a long distance answers come as slowly as they come. */
    int64_t round_trip_ns = member->last.received_ns - member->last.sent_ns;
    return now_ns - member->last.received_ns <= 2 * (member->interval_ns + round_trip_ns) + 500 * NS_PER_MS;
}

/* Nothing newer than what the standby had at evidence_ns is known to be on it. When it was never known to
 * have everything, the clocks of the servers give what they can. */
static int64_t growing_bound(const struct cluster_member *member, int64_t evidence_ns, int64_t now_ns)
{
    if (evidence_ns)
        return now_ns - evidence_ns;
    int64_t watched_ns = now_ns - member->joined_ns;
    int64_t aged_ns = member->last.replay_age_ns ? member->last.replay_age_ns + (now_ns - member->at_ns) : 0;
    return aged_ns > watched_ns ? aged_ns : watched_ns;
}

static bool is_settled(enum lsn_standing standing)
{
    return standing == LSN_CAUGHT_UP || standing == LSN_BEHIND;
}

struct cluster_lag cluster_lag(const struct cluster_member *member, int64_t now_ns)
{
    struct cluster_lag lag = {.standby = member->sampled && member->last.standby};

    if (!lag.standby)
        return lag;
    const struct lsn_lag *loss = &member->loss;
    if (!member->mismatch && can_be_seen(member, now_ns) && can_be_seen(member->cluster->primary, now_ns) &&
        is_settled(member->lag.standing) && is_settled(loss->standing)) {
        lag.known = true;
        lag.lag_ns = member->lag.lag_ns;
        lag.lag_bytes = member->lag.bytes;
        lag.loss_ns = loss->standing == LSN_BEHIND ? member->at_ns - loss->evidence_ns : 0;
        lag.loss_bytes = loss->bytes;
        return lag;
    }
    lag.lag_ns = growing_bound(member, member->lag_evidence_ns, now_ns);
    lag.loss_ns = growing_bound(member, member->loss_evidence_ns, now_ns);
    return lag;
}

double cluster_wal_rate(const struct cluster_member *member, int64_t window_ns, int64_t now_ns)
{
    if (member->cluster->primary != member || !can_be_seen(member, now_ns))
        return -1;
    return lsn_ring_rate(&member->cluster->durable, now_ns - window_ns);
}

uint64_t cluster_normalize_insert(uint64_t lsn, uint64_t segment_bytes)
{
    enum { PAGE = 8192, SHORT_HEADER = 24, LONG_HEADER = 40 };
    bool first_page = segment_bytes && lsn % segment_bytes < PAGE;
    uint64_t header = first_page ? LONG_HEADER : SHORT_HEADER;

    return lsn % PAGE == header ? lsn - header : lsn;
}
