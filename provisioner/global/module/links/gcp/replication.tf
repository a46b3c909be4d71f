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

resource "google_secret_manager_secret_version" "document" {
  count       = local.replicates ? 1 : 0
  secret      = var.store
  secret_data = base64gzip(local.document)
}

resource "google_secret_manager_secret_version" "password" {
  count                  = local.replicates ? 1 : 0
  secret                 = "${var.store}-password"
  secret_data_wo         = var.keeps_password ? uuid() : var.password
  secret_data_wo_version = local.version
}

output "document" {
  description = "SHA-256 of what the gateway is told to do, empty for nothing."
  value       = local.replicates ? sha256(local.document) : ""
}

output "password_stamp" {
  description = "Another one with each password."
  value       = local.replicates ? "${google_secret_manager_secret_version.password[0].name} ${google_secret_manager_secret_version.password[0].create_time}" : ""
}
