output "url" {
  description = "Where users ask."
  value       = "https://${var.domain}"
}

output "region_urls" {
  description = "Each region's own name."
  value       = { for name, record in aws_route53_record.region : name => record.name }
}

output "health_checks" {
  description = "Ids of the health checks by region."
  value       = { for name, check in aws_route53_health_check.region : name => check.id }
}
