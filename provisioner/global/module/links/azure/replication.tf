# What the gateway does for replication, and the password of the role that fetches rows: made in one region's store, read back
# from there and put into the others', so that a run that was cut off between two leaves none that differs for good. In no
# plan and no state.
locals {
  replicates = var.replication != null && var.target != "" && var.store != "" && var.ready
  document = !local.replicates ? "" : jsonencode({
    format     = 1
    deployment = var.deployment_id # a report names the document by its digest: no other deployment's is alike
    region     = var.region
    sql        = var.replication.sql
    sources = { for name, source in var.replication.sources : name => merge(source, { address = local.peers[name] })
    if contains(keys(local.peers), name) }
  })
  version = var.keeps_password ? var.password_version : parseint(substr(sha256(var.password_stamp), 0, 7), 16)
}

resource "azurerm_key_vault_secret" "document" {
  count        = local.replicates ? 1 : 0
  name         = "replication"
  key_vault_id = var.store
  content_type = "What the gateway does for replication: JSON, gzip, base64"
  value        = base64gzip(local.document)
  tags         = { "fraiseql-deployment-id" = var.deployment_id, "fraiseql-region" = var.region }
}

resource "azurerm_key_vault_secret" "password" {
  count            = local.replicates ? 1 : 0
  name             = "replication-password"
  key_vault_id     = var.store
  value_wo         = var.keeps_password ? uuid() : var.password
  value_wo_version = local.version
  tags             = { "fraiseql-deployment-id" = var.deployment_id, "fraiseql-region" = var.region }
}

resource "azurerm_role_assignment" "gateway" {
  for_each = local.replicates ? {
    document = azurerm_key_vault_secret.document[0].resource_versionless_id
    password = azurerm_key_vault_secret.password[0].resource_versionless_id
  } : {}
  scope                = each.value
  role_definition_name = "Key Vault Secrets User"
  principal_id         = var.identity
}

output "document" {
  description = "SHA-256 of what the gateway is told to do, empty for nothing."
  value       = local.replicates ? sha256(local.document) : ""
}

output "password_stamp" {
  description = "Another one with each password."
  value       = local.replicates ? azurerm_key_vault_secret.password[0].version : ""
}
