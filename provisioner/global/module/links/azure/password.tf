# Read back from the store that keeps it, for those of the other regions.
ephemeral "azurerm_key_vault_secret" "password" {
  count        = local.replicates && var.keeps_password ? 1 : 0
  name         = azurerm_key_vault_secret.password[0].name
  version      = azurerm_key_vault_secret.password[0].version
  key_vault_id = var.store
}

output "password" {
  description = "The password: the one that this region keeps, else the one it was given."
  value       = local.replicates && var.keeps_password ? one(ephemeral.azurerm_key_vault_secret.password[*].value) : var.password
  ephemeral   = true
  sensitive   = true
}
