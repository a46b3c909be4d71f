locals {
  # Azure wants on and off, and restarts the server for static parameters (announced by the plan).
  parameters = merge(
    { for name, value in var.database.parameters : name => (name == "track_commit_timestamp" && value == "1" ? "on" : value) if name != "wal_level" },
    var.database.logical_replication ? { "wal_level" = "logical" } : {},
    { "require_secure_transport" = "on", "ssl_min_protocol_version" = "TLSv1.2", "log_connections" = "on", "log_disconnections" = "on" },
    var.audit_log ? { "azure.extensions" = "PG_STAT_STATEMENTS,PGAUDIT", "shared_preload_libraries" = "pg_stat_statements,pgaudit", "pgaudit.log" = "ddl,role,write" } : { "azure.extensions" = "PG_STAT_STATEMENTS" },
  )

  # The sizes of disks that the server can have.
  disk_steps_mb = [32768, 65536, 131072, 262144, 524288, 1048576, 2097152, 4193280, 4194304, 8388608, 16777216, 33553408]
  storage_mb    = [for step in local.disk_steps_mb : step if step >= min(var.database.storage_gb * 1024, 33553408)][0]
  class         = can(regex("^(B|GP|MO)_", var.database.class)) ? var.database.class : "${can(regex("^Standard_B", var.database.class)) ? "B" : can(regex("^Standard_E", var.database.class)) ? "MO" : "GP"}_${var.database.class}"
}

# What the vault has, and not what this run would have put there: after a run that was cut off between the two, the server
# still gets the password that the service reads. In no plan and no state.
ephemeral "azurerm_key_vault_secret" "database" {
  name    = azurerm_key_vault_secret.database.name
  version = azurerm_key_vault_secret.database.version

  # Unknown, and so not read before it is time, while the right to read is still to be given.
  key_vault_id = split("\n", "${azurerm_key_vault.this.id}\n${terraform_data.rights.id}")[0]
}

# The version that the server was made with.
resource "terraform_data" "database_version" {
  input = var.database.version

  lifecycle {
    ignore_changes = [input]
  }
}

resource "azurerm_postgresql_flexible_server" "this" {
  name                              = "${var.name}-${local.unique}"
  resource_group_name               = azurerm_resource_group.this.name
  location                          = azurerm_resource_group.this.location
  version                           = tostring(var.database.version)
  sku_name                          = local.class
  storage_mb                        = local.storage_mb
  auto_grow_enabled                 = var.database.max_storage_gb > var.database.storage_gb
  administrator_login               = "fraiseql"
  administrator_password_wo         = ephemeral.azurerm_key_vault_secret.database.value
  administrator_password_wo_version = local.password_version
  delegated_subnet_id               = var.database.public_access ? null : azurerm_subnet.database.id
  private_dns_zone_id               = var.database.public_access ? null : azurerm_private_dns_zone.database.id
  public_network_access_enabled     = var.database.public_access
  backup_retention_days             = min(max(var.database.backup_days, 7), 35)
  geo_redundant_backup_enabled      = var.database.geo_redundant
  zone                              = local.zones[0]
  tags                              = merge(local.tags, { "fraiseql-address" = "azurerm_postgresql_flexible_server.this" })
  depends_on                        = [azurerm_private_dns_zone_virtual_network_link.database, terraform_data.rights]

  dynamic "high_availability" {
    for_each = var.database.high_availability ? [1] : []
    content {
      mode                      = "ZoneRedundant"
      standby_availability_zone = local.zones[1]
    }
  }

  dynamic "customer_managed_key" {
    for_each = var.database.encryption_key == "" ? [] : [1]
    content {
      key_vault_key_id                  = var.database.encryption_key
      primary_user_assigned_identity_id = azurerm_user_assigned_identity.database[0].id
    }
  }

  dynamic "identity" {
    for_each = var.database.encryption_key == "" ? [] : [1]
    content {
      type         = "UserAssigned"
      identity_ids = [azurerm_user_assigned_identity.database[0].id]
    }
  }

  lifecycle {
    # After a switch to the standby the zones have changed places.
    ignore_changes = [zone, high_availability[0].standby_availability_zone, storage_mb]

    precondition {
      condition     = var.database.version == terraform_data.database_version.output
      error_message = "For another version Azure's provider makes another server, which is empty. Upgrade the one that stands (az postgres flexible-server upgrade), then run: terraform state rm module.region.terraform_data.database_version"
    }
  }
}

resource "azurerm_user_assigned_identity" "database" {
  count               = var.database.encryption_key == "" ? 0 : 1
  name                = "${var.name}-database"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = merge(local.tags, { "fraiseql-address" = "azurerm_user_assigned_identity.database[0]" })
}

resource "azurerm_management_lock" "database" {
  count      = var.database.deletion_protection ? 1 : 0
  name       = "fraiseql-database"
  scope      = azurerm_postgresql_flexible_server.this.id
  lock_level = "CanNotDelete"
  notes      = "database.deletion-protection of the deployment's file"
  # What hangs on the server cannot be removed under a lock either: the lock is the first to go.
  depends_on = [
    azurerm_monitor_diagnostic_setting.database, azurerm_postgresql_flexible_server_configuration.this,
    azurerm_postgresql_flexible_server_database.this,
  ]
}

resource "azurerm_postgresql_flexible_server_configuration" "this" {
  for_each  = local.parameters
  server_id = azurerm_postgresql_flexible_server.this.id
  name      = each.key
  value     = each.value
}

resource "azurerm_postgresql_flexible_server_database" "this" {
  name      = "fraiseql"
  server_id = azurerm_postgresql_flexible_server.this.id
  charset   = "UTF8"
  collation = "en_US.utf8"
}
