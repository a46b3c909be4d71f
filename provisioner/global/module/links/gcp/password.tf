# Read back from the store that keeps it, for those of the other regions.
ephemeral "google_secret_manager_secret_version" "password" {
  count   = local.replicates && var.keeps_password ? 1 : 0
  secret  = google_secret_manager_secret_version.password[0].secret
  version = google_secret_manager_secret_version.password[0].version
}

output "password" {
  description = "The password: the one that this region keeps, else the one it was given."
  value       = local.replicates && var.keeps_password ? one(ephemeral.google_secret_manager_secret_version.password[*].secret_data) : var.password
  ephemeral   = true
  sensitive   = true
}
