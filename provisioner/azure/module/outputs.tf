output "endpoint" {
  description = "Where the service answers: an address."
  value       = local.address
}

output "endpoint_kind" {
  description = "hostname or address."
  value       = "address"
}

output "endpoint_zone_id" {
  description = "Empty: alias records are AWS' own."
  value       = ""
}

output "url" {
  description = "URL of the service in this region."
  value       = local.tls ? "https://${var.domain == "" ? local.address : "${var.region}.${var.domain}"}" : "http://${local.address}"
}

output "database_address" {
  description = "Host name of the database, reachable inside the network."
  value       = azurerm_postgresql_flexible_server.this.fqdn
}

output "database_port" {
  description = "Port of the database."
  value       = 5432
}

output "database_name" {
  description = "Name of the service's database."
  value       = azurerm_postgresql_flexible_server_database.this.name
}

output "database_secret" {
  description = "Secret that holds the password of the user fraiseql."
  value       = azurerm_key_vault_secret.database.id
}

output "network_id" {
  description = "Id of the network."
  value       = azurerm_virtual_network.this.id
}

output "cidr" {
  description = "Address range of the network."
  value       = var.cidr
}

output "gateway_address" {
  description = "Public address at which other regions reach the database, empty for none."
  value       = var.links == "tls" ? azurerm_public_ip.gateway[0].ip_address : ""
}

output "gateway_rule_target" {
  description = "Network security group that the global root opens to the other regions, empty for none."
  value       = var.links == "tls" ? azurerm_network_security_group.gateway[0].id : ""
}

output "monitoring_identity" {
  description = "Identity that may read metrics and logs."
  value       = azurerm_user_assigned_identity.monitoring.client_id
}

output "service_group" {
  description = "Scale set of the service."
  value       = azurerm_linux_virtual_machine_scale_set.service.name
}

output "gateway_identity" {
  description = "Who the gateway is to the cloud, empty for nobody."
  value       = var.links == "tls" ? azurerm_user_assigned_identity.gateway[0].principal_id : ""
}

output "replication_store" {
  description = "Where the global root puts what the gateway does for replication, empty for nowhere."
  value       = var.links == "tls" ? azurerm_key_vault.this.id : ""
}

output "replication_state" {
  description = "Where the gateway says how replication stands, empty for nowhere."
  value       = var.links == "tls" ? azurerm_key_vault_secret.replication_state[0].versionless_id : ""
}

output "certificate_records" {
  description = "Records that the domain's zone must have for the load balancer's certificate, as JSON: name, type and data. Empty for none."
  value       = ""
}
