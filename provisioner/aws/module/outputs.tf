output "endpoint" {
  description = "Where the service answers: a host name."
  value       = aws_lb.this.dns_name
}

output "endpoint_kind" {
  description = "hostname or address."
  value       = "hostname"
}

output "endpoint_zone_id" {
  description = "Route 53 zone of the load balancer, for alias records."
  value       = aws_lb.this.zone_id
}

output "url" {
  description = "URL of the service in this region."
  value       = local.tls ? (var.domain == "" ? "https://${aws_lb.this.dns_name}" : "https://${var.region}.${var.domain}") : "http://${aws_lb.this.dns_name}"
}

output "database_address" {
  description = "Host name of the database, reachable inside the network."
  value       = aws_db_instance.this.address
}

output "database_port" {
  description = "Port of the database."
  value       = aws_db_instance.this.port
}

output "database_name" {
  description = "Name of the service's database."
  value       = aws_db_instance.this.db_name
}

output "database_secret" {
  description = "ARN of the secret that holds the administrator's name and password."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "network_id" {
  description = "Id of the network."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "Address range of the network."
  value       = aws_vpc.this.cidr_block
}

output "gateway_address" {
  description = "Public address at which other regions reach the database, empty for none."
  value       = var.links == "tls" ? aws_eip.gateway[0].public_ip : ""
}

output "gateway_rule_target" {
  description = "Security group that the global root opens to the other regions, empty for none."
  value       = var.links == "tls" ? aws_security_group.gateway[0].id : ""
}

output "monitoring_identity" {
  description = "Role that may read metrics and logs."
  value       = aws_iam_role.monitoring.arn
}

output "service_group" {
  description = "Autoscaling group of the service."
  value       = aws_autoscaling_group.service.name
}

output "gateway_identity" {
  description = "Who the gateway is to the cloud, empty for nobody."
  value       = var.links == "tls" ? aws_iam_role.gateway[0].name : ""
}

output "replication_store" {
  description = "Where the global root puts what the gateway does for replication, empty for nowhere."
  value       = var.links == "tls" ? aws_secretsmanager_secret.replication[0].arn : ""
}

output "replication_state" {
  description = "Where the gateway says how replication stands, empty for nowhere."
  value       = var.links == "tls" ? aws_ssm_parameter.replication_state[0].name : ""
}

output "certificate_records" {
  description = "Records that the domain's zone must have for the load balancer's certificate, as JSON: name, type and data. Empty for none."
  value       = ""
}
