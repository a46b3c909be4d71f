output "url" {
  description = "Where users ask."
  value       = "https://${var.domain}"
}

output "region_urls" {
  description = "Each region's own name."
  value       = { for name, record in cloudflare_dns_record.region : name => record.name }
}

output "pools" {
  description = "Ids of the pools by region."
  value       = { for name, pool in cloudflare_load_balancer_pool.region : name => pool.id }
}
