# DOMAIN with failover routing. Route 53 knows one primary and one secondary; the secondary is a name of its own that
# spreads over all other regions by latency and health.

locals {
  failover = var.routing == "failover" ? local.served : {}
  reserve  = var.routing == "failover" ? local.standby : {}
}

resource "aws_route53_record" "primary" {
  for_each        = { for name, region in local.failover : name => region if name == local.primary }
  zone_id         = local.zone_id
  name            = var.domain
  type            = "A"
  set_identifier  = "primary"
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
  failover_routing_policy {
    type = "PRIMARY"
  }
}

resource "aws_route53_record" "standby" {
  for_each        = local.reserve
  zone_id         = local.zone_id
  name            = "_standby.${var.domain}"
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
  latency_routing_policy {
    region = each.value.nearest_aws != "" ? each.value.nearest_aws : "us-east-1"
  }
}

resource "aws_route53_record" "secondary" {
  count          = length(local.reserve) > 0 ? 1 : 0
  zone_id        = local.zone_id
  name           = var.domain
  type           = "A"
  set_identifier = "secondary"
  alias {
    name                   = "_standby.${var.domain}"
    zone_id                = local.zone_id
    evaluate_target_health = true
  }
  failover_routing_policy {
    type = "SECONDARY"
  }
  depends_on = [aws_route53_record.standby]
}
