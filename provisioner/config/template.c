#include "provisioner/config/template.h"

#include "lib/core/yaml.h"

static void write_member(struct buf *out, unsigned indent, const char *key, const char *value)
{
    buf_printf(out, "%*s%s: ", (int)indent, "", key);
    yaml_write_scalar(out, str_from(value));
    buf_append_byte(out, '\n');
}

static void write_regions(const struct template *chosen, struct buf *out)
{
    buf_append_text(out, "\nregions:\n");
    for (size_t i = 0; i < chosen->region_count; i++) {
        const struct template_region *region = &chosen->regions[i];
        buf_append_text(out, i ? "\n  " : "  ");
        yaml_write_scalar(out, str_from(region->name));
        buf_append_text(out, ":\n");
        write_member(out, 4, "provider", region->provider);
        write_member(out, 4, "location", region->location);
        if (strcmp(region->provider, "self-hosted") == 0)
            buf_append_text(out, "    # local is this machine; another is ssh://user@host:port\n"
                                 "    hosts: [local]\n");
        if (i == 0)
            buf_append_text(
                out,
                "    # small, medium or large holds on every cloud, so that provider and location alone\n"
                "    # move a region. instance_type names an exact machine instead.\n");
        write_member(out, 4, "size", chosen->size);
        if (i == 0)
            buf_append_text(out, "    # instances: 3            # how many machines, one a zone\n"
                                 "    # max-instances: 6        # under load\n"
                                 "    # database:\n"
                                 "    #   version: 16\n"
                                 "    #   storage: 100GB\n"
                                 "    #   high-availability: true\n");
    }
}

void template_write(const struct template *chosen, struct buf *out)
{
    buf_append_text(out,
                    "# What `fraiseql deploy` deploys. `fraiseql deploy validate` checks this file, `cost` "
                    "prices it, and\n"
                    "# `plan` shows what deploying would change. Every key: docs/deployment.md. What is left "
                    "out takes a\n"
                    "# careful default: databases are private, encrypted, highly available and backed up.\n"
                    "version: 1\n"
                    "\n"
                    "metadata:\n");
    write_member(out, 2, "name", chosen->name);
    write_member(out, 2, "environment", chosen->environment);
    write_regions(chosen, out);
    buf_append_text(
        out, "\n"
             "# service:\n"
             "#   image: ghcr.io/fraiseql/server:latest\n"
             "#   schema: /app/schema.compiled.json\n"
             "#   secret-environment: {API_TOKEN: name-in-the-secret-store}\n"
             "\n"
             "# Copies of rows between regions: none, streaming (one writes) or active-active (all write).\n"
             "# replication:\n"
             "#   mode: streaming\n"
             "\n"
             "# traffic:\n"
             "#   domain: api.example.com\n"
             "#   dns: route53              # or cloudflare\n"
             "\n"
             "# compliance:\n"
             "#   standards: [gdpr]\n"
             "\n"
             "# cost-management:\n"
             "#   monthly-budget: 2500\n"
             "\n"
             "# A remote state lets another machine go on where this one stopped.\n"
             "# state:\n"
             "#   backend: s3\n"
             "#   bucket: my-state\n"
             "#   location: eu-west-1\n");
}
