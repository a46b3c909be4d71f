/* Where a provider does less, or something else, than the file's word for it says: the setting alone settles
 * nothing there. */
#include "provisioner/compliance/internal.h"

static const struct {
    const char *provider, *rule;
    enum compliance_outcome outcome;
    const char *evidence, *mend;
} rows[] = {
    {"self-hosted", "database-encrypted", COMPLIANCE_MANUAL,
     "nothing of this program encrypts a host's disks; whether they are, the file cannot show",
     "Look on the host: `lsblk -o NAME,TYPE,MOUNTPOINTS` shows crypt above the database's folder."},
    {"self-hosted", "database-customer-key", COMPLIANCE_MANUAL,
     "whose key encrypts a host's disks the file cannot show", "Say who keeps the key of the host's disks."},
    {"self-hosted", "database-private", COMPLIANCE_MANUAL,
     "whether a host's address can be reached from the internet is a matter of its network",
     "Let only the other regions reach the ports of the database and of HAProxy."},
    {"self-hosted", "high-availability", COMPLIANCE_MANUAL,
     "an own host runs one PostgreSQL, and what takes over is another region's copy",
     "Judge whether replication.mode streaming and `fraiseql deploy failover` do for it."},
    {"self-hosted", "deletion-protection", COMPLIANCE_MANUAL,
     "no cloud stands between a user of the host and its data; destroy leaves them without --delete-data",
     "Judge whether the access to the host does for it."},
    {"self-hosted", "audit-log", COMPLIANCE_FAIL,
     "this version sets up no audit log on own hosts, whatever monitoring.audit-log is",
     "Set pgaudit up on the host, and waive this rule with that as the reason."},
    {"self-hosted", "log-retention", COMPLIANCE_MANUAL,
     "logs of own hosts lie in their journal, for as long as its own settings keep them",
     "Look at MaxRetentionSec= and SystemMaxUse= in /etc/systemd/journald.conf of the host."},
    {"gcp", "audit-log", COMPLIANCE_MANUAL,
     "pgaudit writes into the Data Access logs, which a project switches on for all that is in it",
     "Switch on Data Read and Data Write of Cloud SQL: IAM & Admin, Audit Logs."},
};

void compliance_go_beyond(const struct judging *judging, struct compliance_result *result)
{
    for (size_t i = 0; i < deployment_region_count(judging->deployment); i++) {
        const struct region *region = deployment_region(judging->deployment, i);
        if (judging->region && judging->region != region)
            continue;
        for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
            /* A setting that is wrong stays wrong, but for one that would change nothing. */
            bool settled =
                result->outcome == COMPLIANCE_PASS || strcmp(result->rule, "database-customer-key") == 0;
            if (!settled || strcmp(rows[r].provider, region->provider_name) != 0 ||
                strcmp(rows[r].rule, result->rule) != 0)
                continue;
            result->outcome = rows[r].outcome;
            result->evidence = arena_printf(judging->arena, "%s: %s", region->name, rows[r].evidence);
            result->mend = rows[r].mend;
        }
    }
}
