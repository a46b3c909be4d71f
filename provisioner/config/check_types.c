/* Instance types and database classes against the catalog. A name that the catalog does not know may be
 * newer than this program, and so is a warning; one that belongs to another cloud is an error. */
#include "lib/core/str.h"
#include "provisioner/catalog/catalog.h"
#include "provisioner/config/checks.h"
#include "provisioner/provider.h"

static void check_known(const struct deployment *deployment, const struct region *region, const char *name,
                        bool database, const char *path, struct findings *findings)
{
    const struct instance_type *const *list;
    if (!name || !*name || catalog_instance(region->provider->name, name, database))
        return;
    const char *what = database ? "database class" : "instance type", *article = database ? "a" : "an";
    for (const struct provider *const *other = provider_all(); *other; other++) {
        if (*other != region->provider && catalog_instance((*other)->name, name, database)) {
            struct finding *finding = check_fail(deployment, findings, "instance-type", path,
                                                 "\"%.60s\" is %s %s of %s, and the region is on %s", name,
                                                 article, what, (*other)->title, region->provider->title);
            finding_hint(findings, finding, "Or leave it out and write size: small, medium or large.");
            return;
        }
    }
    size_t count = catalog_instances(region->provider->name, database, &list);
    const char **names = arena_alloc(deployment->arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = list[i]->name;
    (void)check_warn(deployment, findings, "instance-type", path,
                     "this program's catalog has no %s \"%.60s\" of %s%s", what, name,
                     region->provider->title, check_nearest(deployment, name, names, count));
}

/* Each cloud has its own word for the class of a database. */
static const char *class_key(const struct provider *provider)
{
    return strcmp(provider->name, "aws") == 0 ? "size" : strcmp(provider->name, "gcp") == 0 ? "tier" : "sku";
}

static void check_product(const struct deployment *deployment, const struct region *region, const char *path,
                          struct findings *findings)
{
    const char *type = region->database.type, *product = region->provider->database_product;
    if (!type || !product || strcmp(type, product) == 0)
        return;
    const char *const names[] = {product};
    (void)check_fail(deployment, findings, "database-type", path,
                     "the database of %s is \"%s\", found \"%.60s\"%s", region->provider->title, product,
                     type, check_nearest(deployment, type, names, 1));
}

void check_types(const struct deployment *deployment, const struct region *region, struct findings *findings)
{
    const struct region_database *database = &region->database;
    const char *instance = check_path(deployment, "regions.%s.instance_type", region->name);
    if (region->size != SIZE_UNSET && check_written(deployment, instance)) {
        struct finding *finding =
            check_fail(deployment, findings, "size", instance, "cannot be given together with \"size\"");
        finding_hint(findings, finding, "Keep size to move the region freely, or the exact type.");
    }
    check_known(deployment, region, region->instance_type, false, instance, findings);
    check_product(deployment, region, check_path(deployment, "regions.%s.database.type", region->name),
                  findings);
    const char *key = database->size ? "size" : database->tier ? "tier" : database->sku ? "sku" : NULL;
    if (!key)
        return;
    const char *path = check_path(deployment, "regions.%s.database.%s", region->name, key);
    if (strcmp(key, class_key(region->provider)) != 0)
        (void)check_fail(deployment, findings, "database-class", path,
                         "on %s the class of a database is \"%s\"", region->provider->title,
                         class_key(region->provider));
    else
        check_known(deployment, region, database->class, true, path, findings);
}
