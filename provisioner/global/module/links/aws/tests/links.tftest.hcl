mock_provider "aws" {}

variables {
  name          = "shop-eu"
  deployment_id = "01a214e4-0000-7000-8000-000000000000"
  region        = "eu"
  target        = "sg-0123"
  peers         = { us = "198.51.100.4", down = "", ap = "203.0.113.9" }
}

run "opened_for_those_that_stand" {
  command = plan
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.peer) == 2 && aws_vpc_security_group_ingress_rule.peer["us"].cidr_ipv4 == "198.51.100.4/32" && aws_vpc_security_group_ingress_rule.peer["us"].from_port == 5432
    error_message = "Exactly the peers that have an address may connect, to the database's port."
  }
}

run "nothing_without_a_gateway" {
  command = plan
  variables { target = "" }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.peer) == 0
    error_message = "Without a gateway nothing must be opened."
  }
}

run "addresses_are_checked" {
  command = plan
  variables { peers = { us = "everybody" } }
  expect_failures = [var.peers]
}
