# Read back from the store that keeps it, for those of the other regions.
ephemeral "aws_secretsmanager_secret_version" "password" {
  count      = local.replicates && var.keeps_password ? 1 : 0
  secret_id  = aws_secretsmanager_secret_version.password[0].secret_id
  version_id = aws_secretsmanager_secret_version.password[0].version_id
}

output "password" {
  description = "The password: the one that this region keeps, else the one it was given."
  value       = local.replicates && var.keeps_password ? one(ephemeral.aws_secretsmanager_secret_version.password[*].secret_string) : var.password
  ephemeral   = true
  sensitive   = true
}
