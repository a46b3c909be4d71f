/* The domain and who answers for it. */
#include "lib/core/str.h"
#include "provisioner/config/checks.h"
#include "provisioner/provider.h"

#define DOMAIN_MAX 200 /* a region's name and a dot go before it, and a name of DNS has at most 253 bytes */

static bool is_domain(const char *text)
{
    size_t label = 0, dots = 0;
    bool sound = strlen(text) <= DOMAIN_MAX;
    for (const char *at = text; *at && sound; at++) {
        bool dash = *at == '-';
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9');
        if (*at == '.') {
            sound = label > 0 && at[-1] != '-';
            dots++;
            label = 0;
            continue;
        }
        sound = letter || (dash && label > 0);
        label++;
        sound = sound && label <= 63;
    }
    return sound && dots > 0 && label > 0 && text[strlen(text) - 1] != '-';
}

static void check_cloudflare(const struct deployment *deployment, const char *id, const char *path,
                             struct findings *findings)
{
    if (!id) {
        struct finding *finding =
            check_fail(deployment, findings, "traffic", path, "is missing, and dns is cloudflare");
        finding_hint(findings, finding, "It is shown on the overview page of the domain at Cloudflare.");
        return;
    }
    bool sound = strlen(id) == 32;
    for (const char *at = id; *at && sound; at++)
        sound = (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f');
    if (!sound)
        (void)check_fail(deployment, findings, "traffic", path, "want 32 hexadecimal digits, found \"%.60s\"",
                         id);
}

static void check_hosted_zone(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_traffic *traffic = &deployment->traffic;
    const char *id = traffic->dns_zone;
    if (!id)
        return;
    if (traffic->dns != DNS_ROUTE53)
        (void)check_fail(deployment, findings, "traffic", "traffic.dns-zone",
                         "is a zone of Route 53 and needs dns: route53");
    else if (id[0] != 'Z' || strlen(id) > 32 ||
             strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != strlen(id))
        (void)check_fail(deployment, findings, "traffic", "traffic.dns-zone",
                         "want a hosted zone's id such as Z0123456789ABCDEFGHIJ, found \"%.60s\"", id);
}

/* A region on own hosts speaks HTTP without TLS at its host's address, where a cloud's has a balancer with a
 * certificate: no record leads clients to both. */
static void check_own_hosts(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_traffic *traffic = &deployment->traffic;
    for (size_t i = 0; traffic->domain && traffic->dns != DNS_NONE && i < deployment_region_count(deployment);
         i++) {
        const struct region *region = deployment_region(deployment, i);
        if (!region->provider || !region->provider->own_hosts)
            continue;
        struct finding *finding =
            check_warn(deployment, findings, "traffic", "traffic.dns",
                       "%s is on own hosts, and no record of %s leads there", region->name, traffic->domain);
        finding_hint(findings, finding,
                     "Put a proxy with your certificates before it and point a name of its own at that.");
        return;
    }
}

void check_traffic(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_traffic *traffic = &deployment->traffic;
    check_hosted_zone(deployment, findings);
    check_own_hosts(deployment, findings);
    if (traffic->domain && !is_domain(traffic->domain))
        (void)check_fail(deployment, findings, "domain", "traffic.domain",
                         "want a domain such as api.example.com in lower case, found \"%.80s\"",
                         traffic->domain);
    if (!traffic->domain && traffic->dns != DNS_NONE)
        (void)check_fail(deployment, findings, "traffic", "traffic.dns", "is given, and there is no domain");
    if (traffic->domain && traffic->dns == DNS_NONE)
        (void)check_warn(deployment, findings, "traffic", "traffic.dns",
                         "is none, so nobody answers for %s until you point it at the regions",
                         traffic->domain);
    if (traffic->dns == DNS_CLOUDFLARE) {
        if (traffic->health_interval_ns < 60 * NS_PER_S)
            (void)check_warn(deployment, findings, "traffic", "traffic.health-interval",
                             "is below 60s, which Cloudflare refuses for zones of its plan Pro (Business "
                             "takes 15s and more, Enterprise 10s)");
        check_cloudflare(deployment, traffic->cloudflare_account, "traffic.cloudflare-account", findings);
        check_cloudflare(deployment, traffic->cloudflare_zone, "traffic.cloudflare-zone", findings);
    }
    if (traffic->cdn && traffic->dns != DNS_CLOUDFLARE)
        (void)check_fail(deployment, findings, "traffic", "traffic.cdn",
                         "the cache is Cloudflare's and needs dns: cloudflare");
    if (traffic->dns == DNS_ROUTE53 && traffic->health_interval_ns != 10 * NS_PER_S &&
        traffic->health_interval_ns != 30 * NS_PER_S)
        (void)check_fail(deployment, findings, "traffic", "traffic.health-interval",
                         "Route 53 checks every 10s or every 30s");
}
