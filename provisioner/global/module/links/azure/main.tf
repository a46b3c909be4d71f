# Lets the other regions' gateways, and nobody else, reach the database through this region's gateway.
locals {
  peers = var.target == "" ? {} : { for name, address in var.peers : name => address if address != "" }
  # /subscriptions/S/resourceGroups/GROUP/providers/Microsoft.Network/networkSecurityGroups/NAME
  parts = split("/", var.target)
}

resource "azurerm_network_security_rule" "peers" {
  count                       = length(local.peers) > 0 ? 1 : 0
  name                        = "${var.name}-peers"
  description                 = "PostgreSQL from regions ${join(", ", keys(local.peers))}"
  resource_group_name         = try(local.parts[4], var.target)
  network_security_group_name = try(local.parts[8], var.target)
  priority                    = 200
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = "Tcp"
  source_port_range           = "*"
  source_address_prefixes     = [for address in values(local.peers) : "${address}/32"]
  destination_port_range      = tostring(var.port)
  destination_address_prefix  = "*"
}

output "opened_for" {
  description = "Regions that may connect."
  value       = keys(local.peers)
}
