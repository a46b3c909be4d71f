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

resource "aws_ssm_parameter" "replication" {
  count       = local.replicates ? 1 : 0
  name        = "/fraiseql/${var.name}/replication"
  description = "What the gateway does for replication: JSON, gzip, base64"
  type        = "String"
  tier        = "Intelligent-Tiering"
  value       = base64gzip(local.document)
  tags = {
    "fraiseql-deployment-id" = var.deployment_id
    "fraiseql-region"        = var.region
    "fraiseql-address"       = "aws_ssm_parameter.replication/0"
  }
}

resource "aws_secretsmanager_secret_version" "password" {
  count                    = local.replicates ? 1 : 0
  secret_id                = var.store
  secret_string_wo         = var.keeps_password ? uuid() : var.password
  secret_string_wo_version = local.version
}

output "document" {
  description = "SHA-256 of what the gateway is told to do, empty for nothing."
  value       = local.replicates ? sha256(local.document) : ""
}

output "password_stamp" {
  description = "Another one with each password."
  value       = local.replicates ? aws_secretsmanager_secret_version.password[0].version_id : ""
}
