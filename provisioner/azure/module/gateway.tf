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
  tags                            = merge(local.tags, { "fraiseql-address" = "azurerm_linux_virtual_machine.gateway[0]" })

  custom_data = base64encode(templatefile("${path.module}/gateway.sh.tftpl", {
    host    = azurerm_postgresql_flexible_server.this.fqdn
    program = var.gateway_program
    store   = file("${path.module}/gateway_store.py")
    settings = {
      host        = azurerm_postgresql_flexible_server.this.fqdn
      port        = 5432
      database    = azurerm_postgresql_flexible_server_database.this.name
      sslmode     = "verify-full"
      sslrootcert = "/etc/ssl/certs/ca-certificates.crt"
      vault       = azurerm_key_vault.this.vault_uri
      client      = azurerm_user_assigned_identity.gateway[0].client_id
    }
  }))

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.gateway[0].id]
  }

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

# It may read the administrator's password and write how replication stands. What the global root puts into the vault for it,
# that root lets it read.
resource "azurerm_user_assigned_identity" "gateway" {
  count               = var.links == "tls" ? 1 : 0
  name                = "${var.name}-gateway"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = merge(local.tags, { "fraiseql-address" = "azurerm_user_assigned_identity.gateway[0]" })
}

resource "azurerm_key_vault_secret" "replication_state" {
  count        = var.links == "tls" ? 1 : 0
  name         = "replication-state"
  key_vault_id = azurerm_key_vault.this.id
  value        = "{}"
  tags         = merge(local.tags, { "fraiseql-address" = "azurerm_key_vault_secret.replication_state[0]" })
  depends_on   = [terraform_data.rights]

  lifecycle {
    ignore_changes = [value, tags]
  }
}

resource "azurerm_role_assignment" "gateway_password" {
  count                = var.links == "tls" ? 1 : 0
  scope                = azurerm_key_vault_secret.database.resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.gateway[0].principal_id
}

resource "azurerm_role_assignment" "gateway_state" {
  count                = var.links == "tls" ? 1 : 0
  scope                = azurerm_key_vault_secret.replication_state[0].resource_versionless_id
  role_definition_name = "Key Vault Secrets Officer"
  principal_id         = azurerm_user_assigned_identity.gateway[0].principal_id
}
