# Without password.tf: Terraform mocks no ephemeral resources, and tests no ephemeral outputs.
mock_provider "azurerm" {}

variables {
  name          = "shop-eu"
  deployment_id = "01a214e4-0000-7000-8000-000000000000"
  region        = "eu"
  target        = "/subscriptions/s/resourceGroups/shop-eu/providers/Microsoft.Network/networkSecurityGroups/shop-eu-gateway"
  peers         = { us = "198.51.100.4", down = "", ap = "203.0.113.9" }
}

run "opened_for_those_that_stand" {
  command = plan
  assert {
    condition     = azurerm_network_security_rule.peers[0].network_security_group_name == "shop-eu-gateway" && azurerm_network_security_rule.peers[0].resource_group_name == "shop-eu" && azurerm_network_security_rule.peers[0].destination_port_range == "5432"
    error_message = "Exactly the peers that have an address may connect, to the database's port."
  }
}

run "nothing_without_a_gateway" {
  command = plan
  variables { target = "" }
  assert {
    condition     = length(azurerm_network_security_rule.peers) == 0
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
    store          = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/shop-eu/providers/Microsoft.KeyVault/vaults/shop-eu-0a1b2c"
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
    condition     = length(azurerm_key_vault_secret.document) == 1 && azurerm_key_vault_secret.password[0].value_wo_version == 1
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
    store          = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/shop-eu/providers/Microsoft.KeyVault/vaults/shop-eu-0a1b2c"
    identity       = "gateway"
    ready          = true
    password       = "secret"
    password_stamp = "version 7"
    replication    = { sql = "SELECT 1;", sources = {} }
  }
  assert {
    condition     = azurerm_key_vault_secret.password[0].value_wo_version == parseint(substr(sha256("version 7"), 0, 7), 16)
    error_message = "Another password at the keeper's must be another one here."
  }
}

run "no_replication_before_the_keeper_stands" {
  command = plan
  variables {
    store       = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/shop-eu/providers/Microsoft.KeyVault/vaults/shop-eu-0a1b2c"
    identity    = "gateway"
    replication = { sql = "SELECT 1;", sources = {} }
  }
  assert {
    condition     = length(azurerm_key_vault_secret.document) == 0 && length(azurerm_key_vault_secret.password) == 0 && output.document == ""
    error_message = "Nothing must be put there while there is no password."
  }
}
