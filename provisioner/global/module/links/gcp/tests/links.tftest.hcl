# Without password.tf: Terraform mocks no ephemeral resources, and tests no ephemeral outputs.
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

run "replication_where_the_password_is_kept" {
  command = plan
  variables {
    store          = "projects/shop/secrets/shop-eu-replication"
    identity       = "gateway"
    keeps_password = true
    ready          = true
    replication = {
      sql = "SELECT 1;"
      sources = {
        us   = { port = 15433, database = "fraiseql", variable = "peer_us", publication = "fraiseql_us", subscription = "fraiseql_eu_from_us" }
        down = { port = 15434, database = "", variable = "peer_down", publication = "fraiseql_down", subscription = "fraiseql_eu_from_down" }
      }
    }
  }
  assert {
    condition     = length(google_secret_manager_secret_version.document) == 1 && google_secret_manager_secret_version.password[0].secret_data_wo_version == 1
    error_message = "The document and the password must be put into the store."
  }
  assert {
    condition     = jsondecode(local.document).sources == { us = { address = "198.51.100.4", port = 15433, database = "fraiseql", variable = "peer_us", publication = "fraiseql_us", subscription = "fraiseql_eu_from_us" } } && output.document == sha256(local.document) && jsondecode(local.document).deployment == var.deployment_id
    error_message = "The document names the peers that have an address."
  }
}

run "replication_where_it_is_not" {
  command = plan
  variables {
    store          = "projects/shop/secrets/shop-eu-replication"
    identity       = "gateway"
    ready          = true
    password       = "secret"
    password_stamp = "version 7"
    replication    = { sql = "SELECT 1;", sources = {} }
  }
  assert {
    condition     = google_secret_manager_secret_version.password[0].secret_data_wo_version == parseint(substr(sha256("version 7"), 0, 7), 16)
    error_message = "Another password at the keeper's must be another one here."
  }
}

run "no_replication_before_the_keeper_stands" {
  command = plan
  variables {
    store       = "projects/shop/secrets/shop-eu-replication"
    identity    = "gateway"
    replication = { sql = "SELECT 1;", sources = {} }
  }
  assert {
    condition     = length(google_secret_manager_secret_version.document) == 0 && length(google_secret_manager_secret_version.password) == 0 && output.document == ""
    error_message = "Nothing must be put there while there is no password."
  }
}
