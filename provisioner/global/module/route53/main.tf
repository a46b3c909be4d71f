# DNS of all regions with Route 53: one health check and one record REGION.DOMAIN a region, and the records of DOMAIN
# that lead to a healthy region. Regions of other clouds take part by their address.

locals {
  served  = { for name, region in var.regions : name => region if region.endpoint != "" }
  primary = contains(keys(local.served), var.primary) ? var.primary : try(sort(keys(local.served))[0], "")
  standby = { for name, region in local.served : name => region if name != local.primary }
  zone_id = var.zone_id != "" ? var.zone_id : data.aws_route53_zone.this[0].zone_id
  # Route 53 knows an interval of 10 seconds and one of 30.
  interval = var.health.interval <= 10 ? 10 : 30
  tags     = { "fraiseql-deployment-id" = var.deployment_id }

  # What clouds want to find before they make the certificates of their load balancers. Regions of one project want the same.
  certificate_records = { for record in flatten([for region in values(var.regions) : try(jsondecode(region.certificate_records), [])]) : record.name => record... }
}

data "aws_route53_zone" "this" {
  count = var.zone_id == "" ? 1 : 0
  name  = var.zone_name != "" ? var.zone_name : var.domain
}

resource "aws_route53_health_check" "region" {
  for_each          = local.served
  reference_name    = substr("${var.name}-${each.key}", 0, 27)
  type              = startswith(each.value.url, "http://") ? "HTTP" : "HTTPS"
  port              = startswith(each.value.url, "http://") ? 80 : 443
  fqdn              = each.value.endpoint_kind == "hostname" ? each.value.endpoint : "${each.key}.${var.domain}"
  ip_address        = each.value.endpoint_kind == "address" ? each.value.endpoint : null
  resource_path     = var.health.path
  request_interval  = local.interval
  failure_threshold = 3
  measure_latency   = true
  tags = merge(local.tags, {
    Name               = "${var.name}-${each.key}"
    "fraiseql-region"  = each.key
    "fraiseql-address" = "aws_route53_health_check.region[\"${each.key}\"]"
  })
}

# REGION.DOMAIN: one region, whatever its health.
resource "aws_route53_record" "region" {
  for_each = local.served
  zone_id  = local.zone_id
  name     = "${each.key}.${var.domain}"
  type     = each.value.endpoint_kind == "hostname" && each.value.endpoint_zone_id == "" ? "CNAME" : "A"
  ttl      = each.value.endpoint_zone_id == "" ? var.ttl : null
  records  = each.value.endpoint_zone_id == "" ? [each.value.endpoint] : null
  dynamic "alias" {
    for_each = each.value.endpoint_zone_id == "" ? [] : [each.value]
    content {
      name                   = alias.value.endpoint
      zone_id                = alias.value.endpoint_zone_id
      evaluate_target_health = false
    }
  }
}

resource "aws_route53_record" "certificate" {
  for_each        = local.certificate_records
  zone_id         = local.zone_id
  name            = each.key
  type            = "CNAME"
  ttl             = 300
  records         = [each.value[0].data]
  allow_overwrite = true
}

# DOMAIN with latency, geographic and weighted routing: one record a region, each with its health check.
resource "aws_route53_record" "domain" {
  for_each        = var.routing == "failover" ? {} : local.served
  zone_id         = local.zone_id
  name            = var.domain
  type            = "A"
  set_identifier  = each.key
  health_check_id = aws_route53_health_check.region[each.key].id
  ttl             = each.value.endpoint_zone_id == "" ? var.ttl : null
  records         = each.value.endpoint_zone_id == "" ? [each.value.endpoint] : null
  dynamic "alias" {
    for_each = each.value.endpoint_zone_id == "" ? [] : [each.value]
    content {
      name                   = alias.value.endpoint
      zone_id                = alias.value.endpoint_zone_id
      evaluate_target_health = true
    }
  }
  dynamic "latency_routing_policy" {
    for_each = var.routing == "latency" ? [each.value.nearest_aws] : []
    content {
      region = latency_routing_policy.value
    }
  }
  dynamic "geoproximity_routing_policy" {
    for_each = var.routing == "geographic" ? [each.value] : []
    content {
      coordinates {
        latitude  = format("%.2f", geoproximity_routing_policy.value.latitude)
        longitude = format("%.2f", geoproximity_routing_policy.value.longitude)
      }
    }
  }
  dynamic "weighted_routing_policy" {
    for_each = var.routing == "weighted" ? [each.value.weight] : []
    content {
      weight = weighted_routing_policy.value
    }
  }
  lifecycle {
    precondition {
      condition     = each.value.endpoint_kind == "address" || each.value.endpoint_zone_id != ""
      error_message = "Region ${each.key} has a host name outside AWS as its endpoint; records of several regions under one name need addresses or AWS load balancers."
    }
    precondition {
      condition     = var.routing != "latency" || each.value.nearest_aws != ""
      error_message = "Routing by latency needs the nearest AWS region of ${each.key} (${each.value.location}), which is not known; choose another routing."
    }
  }
}
