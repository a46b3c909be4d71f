mock_provider "cloudflare" {}

variables {
  name          = "shop-global"
  deployment_id = "01a214e4-0000-7000-8000-000000000000"
  domain        = "api.example.com"
  primary       = "us"
  account_id    = "acc"
  zone_id       = "zone"
  regions = {
    us = {
      provider = "aws", location = "us-east-1", latitude = 38.95, longitude = -77.45, nearest_aws = "us-east-1", weight = 300
      endpoint = "shop-us.elb.amazonaws.com", endpoint_kind = "hostname", endpoint_zone_id = "Z35SXDOTRQ7X7K"
      url      = "https://us.api.example.com"
    }
    eu = {
      provider = "gcp", location = "europe-west1", latitude = 50.45, longitude = 3.82, nearest_aws = "eu-west-3"
      endpoint = "203.0.113.7", endpoint_kind = "address", endpoint_zone_id = "", url = "http://203.0.113.7"
    }
    down = {
      provider = "azure", location = "southeastasia", latitude = 1.35, longitude = 103.82, nearest_aws = "ap-southeast-1"
      endpoint = "", endpoint_kind = "", endpoint_zone_id = "", url = ""
    }
  }
}

run "latency" {
  assert {
    condition     = length(cloudflare_load_balancer_pool.region) == 2 && cloudflare_load_balancer.domain[0].steering_policy == "dynamic_latency"
    error_message = "Every region with an endpoint must have a pool."
  }
  assert {
    condition     = cloudflare_load_balancer.domain[0].fallback_pool == cloudflare_load_balancer_pool.region["us"].id
    error_message = "The primary must be the last resort."
  }
  assert {
    condition     = cloudflare_dns_record.region["us"].type == "CNAME" && cloudflare_dns_record.region["eu"].type == "A"
    error_message = "Each region must have a name of its own."
  }
  assert {
    condition     = length(cloudflare_ruleset.cache) == 0 && cloudflare_load_balancer.domain[0].ttl == 60
    error_message = "Without cdn nothing must be proxied."
  }
}

run "cdn_and_weights" {
  variables {
    cdn     = true
    routing = "weighted"
  }
  assert {
    condition     = cloudflare_load_balancer.domain[0].proxied && length(cloudflare_ruleset.cache) == 1
    error_message = "With cdn requests must pass the proxy."
  }
  assert {
    condition     = sort(values(cloudflare_load_balancer.domain[0].random_steering.pool_weights)) == sort([0.75, 0.25])
    error_message = "Weights must be shares of one."
  }
}

run "failover" {
  variables { routing = "failover" }
  assert {
    condition     = cloudflare_load_balancer.domain[0].default_pools[0] == cloudflare_load_balancer_pool.region["us"].id
    error_message = "The primary must come first."
  }
}

run "certificates_of_two_regions_of_one_project" {
  variables {
    regions = {
      for name in ["eu", "us"] : name => {
        provider            = "gcp", location = "europe-west1", latitude = 50.45, longitude = 3.82, nearest_aws = "eu-west-3"
        endpoint            = "203.0.113.7", endpoint_kind = "address", endpoint_zone_id = "", url = "https://${name}.api.example.com"
        certificate_records = "[{\"name\":\"_acme-challenge_x.api.example.com\",\"type\":\"CNAME\",\"data\":\"y.authorize.certificatemanager.goog\"}]"
      }
    }
  }
  assert {
    condition     = cloudflare_dns_record.certificate["_acme-challenge_x.api.example.com"].content == "y.authorize.certificatemanager.goog" && !cloudflare_dns_record.certificate["_acme-challenge_x.api.example.com"].proxied && length(cloudflare_dns_record.certificate) == 1
    error_message = "A cloud makes its certificate once the zone has the records it asked for, each once."
  }
}
