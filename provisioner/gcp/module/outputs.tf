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
  description = "Address of the database, reachable inside the network."
  value       = google_sql_database_instance.this.private_ip_address
}

output "database_port" {
  description = "Port of the database."
  value       = 5432
}

output "database_name" {
  description = "Name of the service's database."
  value       = google_sql_database.this.name
}

output "database_secret" {
  description = "Secret that holds the password of the user fraiseql."
  value       = google_secret_manager_secret.this["database"].id
}

output "network_id" {
  description = "Id of the network."
  value       = google_compute_network.this.id
}

output "cidr" {
  description = "Address range of the network."
  value       = var.cidr
}

output "gateway_address" {
  description = "Public address at which other regions reach the database, empty for none."
  value       = var.links == "tls" && local.gateway_address != null ? local.gateway_address : ""
}

output "gateway_rule_target" {
  description = "Network that the global root opens to the other regions, empty for none."
  value       = var.links == "tls" ? google_compute_network.this.name : ""
}

output "monitoring_identity" {
  description = "Service account that may read metrics and logs."
  value       = google_service_account.monitoring.email
}

output "service_group" {
  description = "Instance group of the service."
  value       = google_compute_region_instance_group_manager.service.name
}

output "gateway_identity" {
  description = "Who the gateway is to the cloud, empty for nobody."
  value       = var.links == "tls" ? google_service_account.gateway[0].email : ""
}

output "replication_store" {
  description = "Where the global root puts what the gateway does for replication, empty for nowhere."
  value       = var.links == "tls" ? google_secret_manager_secret.replication["replication"].id : ""
}

output "replication_state" {
  description = "Where the gateway says how replication stands, empty for nowhere."
  value       = var.links == "tls" ? "projects/${local.project}/zones/${google_compute_instance.gateway[0].zone}/instances/${google_compute_instance.gateway[0].name}" : ""
}

output "certificate_records" {
  description = "Records that the domain's zone must have for the load balancer's certificate, as JSON: name, type and data. Empty for none."
  value = !local.own_certificate ? "" : jsonencode(flatten([for one in values(google_certificate_manager_dns_authorization.this) :
    [for record in one.dns_resource_record : { name = trimsuffix(record.name, "."), type = record.type, data = trimsuffix(record.data, ".") }]
  ]))
}
