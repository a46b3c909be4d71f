mock_provider "aws" {
  mock_data "aws_route53_zone" {
    defaults = { zone_id = "Z0LOOKEDUP" }
  }
}

variables {
  name          = "shop-global"
  deployment_id = "01a214e4-0000-7000-8000-000000000000"
  domain        = "api.example.com"
  primary       = "eu"
  regions = {
    us = {
      provider = "aws", location = "us-east-1", latitude = 38.95, longitude = -77.45, nearest_aws = "us-east-1"
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
  command = plan
  assert {
    condition     = length(aws_route53_health_check.region) == 2 && length(aws_route53_record.domain) == 2
    error_message = "A region without an endpoint must not get records."
  }
  assert {
    condition     = aws_route53_record.domain["us"].alias[0].zone_id == "Z35SXDOTRQ7X7K" && aws_route53_record.domain["us"].ttl == null
    error_message = "An AWS load balancer must be an alias."
  }
  assert {
    condition     = one(aws_route53_record.domain["eu"].records) == "203.0.113.7" && aws_route53_record.domain["eu"].latency_routing_policy[0].region == "eu-west-3"
    error_message = "Another cloud must take part by its address and its nearest AWS region."
  }
  assert {
    condition     = aws_route53_health_check.region["eu"].type == "HTTP" && aws_route53_health_check.region["us"].type == "HTTPS"
    error_message = "The health check must speak what the region speaks."
  }
  assert {
    condition     = aws_route53_record.region["eu"].name == "eu.api.example.com" && aws_route53_record.region["eu"].zone_id == "Z0LOOKEDUP"
    error_message = "Each region must have a name of its own in the zone that was looked up."
  }
}

run "geographic" {
  command = plan
  variables { routing = "geographic" }
  assert {
    condition     = one(aws_route53_record.domain["us"].geoproximity_routing_policy[0].coordinates).latitude == "38.95"
    error_message = "Geographic routing must go by coordinates."
  }
}

run "weighted" {
  command = plan
  variables {
    routing = "weighted"
    zone_id = "Z1GIVEN"
  }
  assert {
    condition     = aws_route53_record.domain["us"].weighted_routing_policy[0].weight == 100 && aws_route53_record.domain["us"].zone_id == "Z1GIVEN"
    error_message = "Weights and the zone given must be used."
  }
}

run "failover" {
  command = plan
  variables { routing = "failover" }
  assert {
    condition     = length(aws_route53_record.domain) == 0 && keys(aws_route53_record.primary) == ["eu"] && keys(aws_route53_record.standby) == ["us"]
    error_message = "The primary must answer first, the others stand by."
  }
  assert {
    condition     = aws_route53_record.secondary[0].failover_routing_policy[0].type == "SECONDARY"
    error_message = "The secondary must lead to those that stand by."
  }
}

run "host_name_outside_aws" {
  command = plan
  variables {
    regions = {
      ap = {
        provider = "azure", location = "southeastasia", latitude = 1.35, longitude = 103.82, nearest_aws = "ap-southeast-1"
        endpoint = "x.cloudapp.azure.com", endpoint_kind = "hostname", endpoint_zone_id = "", url = "https://x"
      }
    }
  }
  expect_failures = [aws_route53_record.domain["ap"]]
}

run "domain_is_checked" {
  command = plan
  variables { domain = "api.example.com\" or true" }
  expect_failures = [var.domain]
}

run "certificates_of_two_regions_of_one_project" {
  command = plan
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
    condition     = one(aws_route53_record.certificate["_acme-challenge_x.api.example.com"].records) == "y.authorize.certificatemanager.goog" && aws_route53_record.certificate["_acme-challenge_x.api.example.com"].type == "CNAME" && length(aws_route53_record.certificate) == 1
    error_message = "A cloud makes its certificate once the zone has the records it asked for, each once."
  }
}
