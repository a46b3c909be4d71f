mock_provider "google" {}

variables {
  name          = "shop-eu"
  deployment_id = "01a214e4-0000-7000-8000-000000000000"
  region        = "eu"
  target        = "shop-eu"
  peers         = { us = "198.51.100.4", down = "", ap = "203.0.113.9" }
}

run "opened_for_those_that_stand" {
  command = plan
  assert {
    condition     = toset(google_compute_firewall.peers[0].source_ranges) == toset(["198.51.100.4/32", "203.0.113.9/32"]) && one(google_compute_firewall.peers[0].target_tags) == "shop-eu-gateway"
    error_message = "Exactly the peers that have an address may connect, to the database's port."
  }
}

run "nothing_without_a_gateway" {
  command = plan
  variables { target = "" }
  assert {
    condition     = length(google_compute_firewall.peers) == 0
    error_message = "Without a gateway nothing must be opened."
  }
}

run "addresses_are_checked" {
  command = plan
  variables { peers = { us = "everybody" } }
  expect_failures = [var.peers]
}
