# DNS of all regions with Cloudflare: a monitor and a pool a region, and a load balancer over the pools.

locals {
  served  = { for name, region in var.regions : name => region if region.endpoint != "" }
  primary = contains(keys(local.served), var.primary) ? var.primary : try(sort(keys(local.served))[0], "")
  # The order counts with failover routing: the first healthy pool answers.
  order = concat(local.primary == "" ? [] : [local.primary], sort([for name in keys(local.served) : name if name != local.primary]))
  steering = {
    latency    = "dynamic_latency"
    geographic = "proximity"
    failover   = "off"
    weighted   = "random"
  }
  total_weight = sum(concat([0], [for region in values(local.served) : region.weight]))

  # What clouds want to find before they make the certificates of their load balancers. Regions of one project want the same.
  certificate_records = { for record in flatten([for region in values(var.regions) : try(jsondecode(region.certificate_records), [])]) : record.name => record... }
}

resource "cloudflare_load_balancer_monitor" "region" {
  for_each       = local.served
  account_id     = var.account_id
  description    = "${var.name}-${each.key} ${var.deployment_id}"
  type           = startswith(each.value.url, "http://") ? "http" : "https"
  port           = startswith(each.value.url, "http://") ? 80 : 443
  method         = "GET"
  path           = var.health.path
  expected_codes = "2xx"
  interval       = var.health.interval
  timeout        = min(5, max(1, var.health.interval - 1))
  retries        = 2
  header         = { Host = [var.domain] }
}

resource "cloudflare_load_balancer_pool" "region" {
  for_each        = local.served
  account_id      = var.account_id
  name            = "${var.name}-${each.key}"
  description     = "fraiseql-deployment-id ${var.deployment_id}"
  monitor         = cloudflare_load_balancer_monitor.region[each.key].id
  latitude        = each.value.latitude
  longitude       = each.value.longitude
  minimum_origins = 1
  origins = [{
    name    = each.key
    address = each.value.endpoint
    enabled = true
    weight  = 1
    header  = { host = [var.domain] }
  }]
}

resource "cloudflare_load_balancer" "domain" {
  count           = length(local.served) > 0 ? 1 : 0
  zone_id         = var.zone_id
  name            = var.domain
  description     = "fraiseql-deployment-id ${var.deployment_id}"
  default_pools   = [for name in local.order : cloudflare_load_balancer_pool.region[name].id]
  fallback_pool   = cloudflare_load_balancer_pool.region[local.primary].id
  steering_policy = local.steering[var.routing]
  proxied         = var.cdn
  ttl             = var.cdn ? null : var.ttl
  random_steering = var.routing != "weighted" ? null : {
    pool_weights = {
      for name, region in local.served :
      cloudflare_load_balancer_pool.region[name].id => region.weight / local.total_weight
    }
  }
}

# REGION.DOMAIN: one region, whatever its health.
resource "cloudflare_dns_record" "region" {
  for_each = local.served
  zone_id  = var.zone_id
  name     = "${each.key}.${var.domain}"
  type     = each.value.endpoint_kind == "address" ? "A" : "CNAME"
  content  = each.value.endpoint
  ttl      = var.ttl < 60 ? 60 : var.ttl
  proxied  = false
  comment  = "fraiseql-deployment-id ${var.deployment_id}"
}

resource "cloudflare_dns_record" "certificate" {
  for_each = local.certificate_records
  zone_id  = var.zone_id
  name     = each.key
  type     = "CNAME"
  content  = each.value[0].data
  ttl      = 300
  proxied  = false
  comment  = "fraiseql-deployment-id ${var.deployment_id}"
}
