# Lets the other regions' gateways, and nobody else, reach the database through this region's gateway.
locals {
  peers = var.target == "" ? {} : { for name, address in var.peers : name => address if address != "" }
}

resource "google_compute_firewall" "peers" {
  count         = length(local.peers) > 0 ? 1 : 0
  name          = "${var.name}-peers"
  description   = "PostgreSQL from regions ${join(", ", keys(local.peers))}; fraiseql-deployment-id ${var.deployment_id}"
  network       = var.target
  direction     = "INGRESS"
  source_ranges = [for address in values(local.peers) : "${address}/32"]
  target_tags   = ["${var.name}-gateway"]
  allow {
    protocol = "tcp"
    ports    = [tostring(var.port)]
  }
}

output "opened_for" {
  description = "Regions that may connect."
  value       = keys(local.peers)
}
