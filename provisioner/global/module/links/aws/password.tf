# Read back from the store that keeps it, for those of the other regions.
ephemeral "aws_secretsmanager_secret_version" "password" {
  count      = local.replicates && var.keeps_password ? 1 : 0
  secret_id  = aws_secretsmanager_secret_version.password[0].secret_id
  version_id = aws_secretsmanager_secret_version.password[0].version_id
}

output "password" {
  description = "The password that this region keeps, null for none."
  value       = one(ephemeral.aws_secretsmanager_secret_version.password[*].secret_string)
  ephemeral   = true
  sensitive   = true
}
