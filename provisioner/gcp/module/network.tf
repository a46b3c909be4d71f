resource "google_compute_network" "this" {
  project                 = local.project
  name                    = var.name
  auto_create_subnetworks = false
  routing_mode            = "REGIONAL"
  depends_on              = [google_project_service.this]
}

resource "google_compute_subnetwork" "this" {
  project                  = local.project
  name                     = var.name
  network                  = google_compute_network.this.id
  region                   = var.location
  ip_cidr_range            = cidrsubnet(var.cidr, 1, 0)
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_1_MIN"
    flow_sampling        = 0.5
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

# The second half of the range is for Google's managed services: the database.
resource "google_compute_global_address" "services" {
  project       = local.project
  name          = "${var.name}-services"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  network       = google_compute_network.this.id
  address       = cidrhost(cidrsubnet(var.cidr, 1, 1), 0)
  prefix_length = tonumber(split("/", var.cidr)[1]) + 1
  labels        = merge(local.labels, { "fraiseql-address" = "google_compute_global_address-services" })
}

resource "google_service_networking_connection" "this" {
  network                 = google_compute_network.this.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services.name]
}

resource "google_compute_router" "this" {
  project = local.project
  name    = var.name
  network = google_compute_network.this.id
  region  = var.location
}

resource "google_compute_router_nat" "this" {
  project                            = local.project
  name                               = var.name
  router                             = google_compute_router.this.name
  region                             = var.location
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}

resource "google_compute_firewall" "service" {
  project       = local.project
  name          = "${var.name}-service"
  network       = google_compute_network.this.id
  description   = "The load balancer and its probes"
  source_ranges = local.probe_ranges
  target_tags   = ["${var.name}-service"]

  allow {
    protocol = "tcp"
    ports    = [tostring(var.service.port)]
  }
}
