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
