# The service's machines: they may read this region's secrets, and make its metrics token.
resource "azurerm_user_assigned_identity" "service" {
  name                = "${var.name}-service"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = merge(local.tags, { "fraiseql-address" = "azurerm_user_assigned_identity.service" })
}

resource "azurerm_user_assigned_identity" "balancer" {
  name                = "${var.name}-balancer"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = merge(local.tags, { "fraiseql-address" = "azurerm_user_assigned_identity.balancer" })
}

# What the collector uses: it may read metrics, and change nothing.
resource "azurerm_user_assigned_identity" "monitoring" {
  name                = "${var.name}-monitoring"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = merge(local.tags, { "fraiseql-address" = "azurerm_user_assigned_identity.monitoring" })
}

resource "azurerm_role_assignment" "monitoring" {
  for_each             = toset(["Monitoring Reader", "Log Analytics Reader"])
  scope                = azurerm_resource_group.this.id
  role_definition_name = each.key
  principal_id         = azurerm_user_assigned_identity.monitoring.principal_id
}

resource "azurerm_key_vault" "this" {
  # At most 24 characters, no two dashes together.
  name                       = "${trimsuffix(substr(replace(var.name, "/-+/", "-"), 0, 17), "-")}-${local.unique}"
  resource_group_name        = azurerm_resource_group.this.name
  location                   = azurerm_resource_group.this.location
  tenant_id                  = data.azurerm_client_config.current.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = true
  purge_protection_enabled   = true
  soft_delete_retention_days = 7
  tags                       = merge(local.tags, { "fraiseql-address" = "azurerm_key_vault.this" })
}

resource "azurerm_role_assignment" "deployer" {
  for_each             = toset(["Key Vault Secrets Officer", "Key Vault Certificates Officer"])
  scope                = azurerm_key_vault.this.id
  role_definition_name = each.key
  principal_id         = data.azurerm_client_config.current.object_id
}

resource "azurerm_role_assignment" "service" {
  scope                = azurerm_key_vault.this.id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.service.principal_id
}

resource "azurerm_role_assignment" "balancer" {
  scope                = azurerm_key_vault.this.id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.balancer.principal_id
}

# What is given by its address lies in vaults that are not this module's: who reads it may, where the vault is in this
# subscription.
locals {
  vault_uses = merge(
    { for key in compact([var.database.encryption_key]) : "database" => { vault = local.vault_of[key], role = "Key Vault Crypto Service Encryption User" } },
    { for secret in compact([var.certificate]) : "balancer" => { vault = local.vault_of[secret], role = "Key Vault Secrets User" } },
    { for vault in distinct([for secret in local.secrets_elsewhere : local.vault_of[secret]]) : "service/${vault}" => { vault = vault, role = "Key Vault Secrets User" } },
  )
  secrets_elsewhere = [for secret in values(var.service.secret_environment) : secret if startswith(secret, "https://")]
  vault_of = { for address in compact(concat([var.database.encryption_key, var.certificate], local.secrets_elsewhere)) :
    address => regex("^https://([^./]+)", address)[0]
  }
}

data "azurerm_resources" "vault" {
  for_each = toset([for use in local.vault_uses : use.vault])
  name     = each.key
  type     = "Microsoft.KeyVault/vaults"
}

resource "azurerm_role_assignment" "elsewhere" {
  for_each             = { for who, use in local.vault_uses : who => use if length(data.azurerm_resources.vault[use.vault].resources) == 1 }
  scope                = data.azurerm_resources.vault[each.value.vault].resources[0].id
  role_definition_name = each.value.role
  principal_id = {
    database = one(azurerm_user_assigned_identity.database[*].principal_id)
    balancer = azurerm_user_assigned_identity.balancer.principal_id
    service  = azurerm_user_assigned_identity.service.principal_id
  }[split("/", each.key)[0]]
}

# Azure says yes to a role before its vaults know of it: whoever comes too early is refused, and a run would end there.
resource "terraform_data" "rights" {
  triggers_replace = concat(
    values(azurerm_role_assignment.deployer)[*].id, values(azurerm_role_assignment.elsewhere)[*].id,
    [azurerm_role_assignment.service.id, azurerm_role_assignment.balancer.id],
  )

  provisioner "local-exec" {
    command = "sleep $${FRAISEQL_SETTLE_SECONDS:-90}"
  }
}

check "vaults_elsewhere" {
  assert {
    condition     = length(azurerm_role_assignment.elsewhere) == length(local.vault_uses)
    error_message = "Not in this subscription: ${join(", ", [for who, use in local.vault_uses : "the vault ${use.vault} (give the identity ${var.name}-${split("/", who)[0]} the role ${use.role} there)" if length(data.azurerm_resources.vault[use.vault].resources) != 1])}."
  }
}

resource "azurerm_key_vault_secret" "database" {
  name             = "database-password"
  key_vault_id     = azurerm_key_vault.this.id
  value_wo         = "Aa1-${uuid()}" # another in each run, of which that counts in which the version was raised
  value_wo_version = local.password_version
  tags             = merge(local.tags, { "fraiseql-address" = "azurerm_key_vault_secret.database" })
  depends_on       = [terraform_data.rights]
}

resource "azurerm_key_vault_secret" "metrics_token" {
  name             = "metrics-token"
  key_vault_id     = azurerm_key_vault.this.id
  value_wo         = uuid()
  value_wo_version = local.password_version
  tags             = merge(local.tags, { "fraiseql-address" = "azurerm_key_vault_secret.metrics_token" })
  depends_on       = [terraform_data.rights]
}

# Signed by itself, its key never leaves the vault: enough behind a proxy that does not ask for more. Give `certificate` a
# real one where browsers come directly.
resource "azurerm_key_vault_certificate" "this" {
  count        = local.own_certificate ? 1 : 0
  name         = "balancer"
  key_vault_id = azurerm_key_vault.this.id
  tags         = merge(local.tags, { "fraiseql-address" = "azurerm_key_vault_certificate.this[0]" })
  depends_on   = [terraform_data.rights]

  certificate_policy {
    issuer_parameters {
      name = "Self"
    }

    key_properties {
      exportable = true # the load balancer fetches it
      key_type   = "RSA"
      key_size   = 2048
      reuse_key  = false
    }

    lifetime_action {
      action {
        action_type = "AutoRenew"
      }
      trigger {
        days_before_expiry = 30
      }
    }

    secret_properties {
      content_type = "application/x-pkcs12"
    }

    x509_certificate_properties {
      subject            = "CN=${local.names[0]}"
      validity_in_months = 12
      key_usage          = ["digitalSignature", "keyEncipherment"]
      extended_key_usage = ["1.3.6.1.5.5.7.3.1"]

      subject_alternative_names {
        dns_names = local.names
      }
    }
  }
}

resource "azurerm_log_analytics_workspace" "this" {
  name                = var.name
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  sku                 = "PerGB2018"
  retention_in_days   = min(max(var.log_retention_days, 30), 730)
  tags                = merge(local.tags, { "fraiseql-address" = "azurerm_log_analytics_workspace.this" })
}

# A workspace keeps two years at most; its tables keep longer, in steps, what only a search job then finds. They are there
# with the workspace: this sets how long, and taking it away leaves them.
resource "azurerm_log_analytics_workspace_table" "kept" {
  for_each                = toset(var.log_retention_days > 730 ? ["AzureDiagnostics", "Syslog"] : [])
  workspace_id            = azurerm_log_analytics_workspace.this.id
  name                    = each.key
  retention_in_days       = 730
  total_retention_in_days = [for days in [1095, 1460, 1826, 2191, 2556, 2922, 3288, 3653] : days if days >= min(var.log_retention_days, 3653)][0]
}

# What the service says, which `fraiseql deploy health` reads of a region that does not answer well.
resource "azurerm_monitor_data_collection_rule" "service" {
  name                = "${var.name}-service"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  kind                = "Linux"
  tags                = merge(local.tags, { "fraiseql-address" = "azurerm_monitor_data_collection_rule.service" })

  data_sources {
    syslog {
      name           = "service"
      facility_names = ["local0"]
      log_levels     = ["*"]
      streams        = ["Microsoft-Syslog"]
    }
  }

  destinations {
    log_analytics {
      name                  = "workspace"
      workspace_resource_id = azurerm_log_analytics_workspace.this.id
    }
  }

  data_flow {
    streams      = ["Microsoft-Syslog"]
    destinations = ["workspace"]
  }
}

resource "azurerm_monitor_data_collection_rule_association" "service" {
  name                    = "fraiseql"
  target_resource_id      = azurerm_linux_virtual_machine_scale_set.service.id
  data_collection_rule_id = azurerm_monitor_data_collection_rule.service.id
}

resource "azurerm_monitor_diagnostic_setting" "database" {
  count                      = var.audit_log ? 1 : 0
  name                       = "fraiseql"
  target_resource_id         = azurerm_postgresql_flexible_server.this.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id

  enabled_log {
    category = "PostgreSQLLogs"
  }
}
