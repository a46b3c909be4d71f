# Read back from the store that keeps it, for those of the other regions.
ephemeral "azurerm_key_vault_secret" "password" {
  count        = local.replicates && var.keeps_password ? 1 : 0
  name         = azurerm_key_vault_secret.password[0].name
  version      = azurerm_key_vault_secret.password[0].version
  key_vault_id = var.store
}

output "password" {
  description = "The password that this region keeps, null for none."
  value       = one(ephemeral.azurerm_key_vault_secret.password[*].value)
  ephemeral   = true
  sensitive   = true
}
