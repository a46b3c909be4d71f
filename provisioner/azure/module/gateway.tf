# Forwards PostgreSQL, with PostgreSQL's own TLS end to end, to the private database. Who may connect is opened by the
# global root, which knows the other regions' addresses.
resource "azurerm_network_security_group" "gateway" {
  count               = var.links == "tls" ? 1 : 0
  name                = "${var.name}-gateway"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = merge(local.tags, { "fraiseql-address" = "azurerm_network_security_group.gateway[0]" })

  lifecycle {
    # Rules are the global root's.
    ignore_changes = [security_rule]
  }
}

resource "azurerm_subnet_network_security_group_association" "gateway" {
  count                     = var.links == "tls" ? 1 : 0
  subnet_id                 = azurerm_subnet.gateway.id
  network_security_group_id = azurerm_network_security_group.gateway[0].id
}

resource "azurerm_public_ip" "gateway" {
  count               = var.links == "tls" ? 1 : 0
  name                = "${var.name}-gateway"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = merge(local.tags, { "fraiseql-address" = "azurerm_public_ip.gateway[0]" })
}

resource "azurerm_network_interface" "gateway" {
  count               = var.links == "tls" ? 1 : 0
  name                = "${var.name}-gateway"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = merge(local.tags, { "fraiseql-address" = "azurerm_network_interface.gateway[0]" })

  ip_configuration {
    name                          = "gateway"
    subnet_id                     = azurerm_subnet.gateway.id
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id          = azurerm_public_ip.gateway[0].id
  }
}

resource "azurerm_linux_virtual_machine" "gateway" {
  count                           = var.links == "tls" ? 1 : 0
  name                            = "${var.name}-gateway"
  resource_group_name             = azurerm_resource_group.this.name
  location                        = azurerm_resource_group.this.location
  size                            = "Standard_B1s"
  admin_username                  = "fraiseql"
  disable_password_authentication = true
  encryption_at_host_enabled      = var.encryption_at_host == "true"
  network_interface_ids           = [azurerm_network_interface.gateway[0].id]
  custom_data                     = base64encode(templatefile("${path.module}/gateway.sh.tftpl", { host = azurerm_postgresql_flexible_server.this.fqdn }))
  tags                            = merge(local.tags, { "fraiseql-address" = "azurerm_linux_virtual_machine.gateway[0]" })

  admin_ssh_key {
    username   = "fraiseql"
    public_key = local.ssh_public_key
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
  }

  source_image_reference {
    publisher = "Debian"
    offer     = "debian-12"
    sku       = "12-gen2"
    version   = "latest"
  }
}
