# Forwards PostgreSQL, with PostgreSQL's own TLS end to end, to the private database. Who may connect is opened by the
# global root, which knows the other regions' addresses.
resource "google_compute_address" "gateway" {
  count   = var.links == "tls" ? 1 : 0
  project = local.project
  name    = "${var.name}-gateway"
  region  = var.location
  labels  = merge(local.labels, { "fraiseql-address" = "google_compute_address-gateway" })
}

resource "google_compute_instance" "gateway" {
  count        = var.links == "tls" ? 1 : 0
  project      = local.project
  name         = "${var.name}-gateway"
  zone         = try(local.zones[0], "${var.location}-b")
  machine_type = "e2-small"
  tags         = ["${var.name}-gateway"]
  labels       = merge(local.labels, { "fraiseql-address" = "google_compute_instance-gateway" })

  boot_disk {
    initialize_params {
      image = data.google_compute_image.debian_gateway[0].self_link
      size  = 10
    }
  }

  network_interface {
    subnetwork = google_compute_subnetwork.this.id
    access_config {
      nat_ip = google_compute_address.gateway[0].address
    }
  }

  shielded_instance_config {
    enable_secure_boot          = true
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }

  metadata = {
    "block-project-ssh-keys" = "true"
    "startup-script"         = templatefile("${path.module}/gateway.sh.tftpl", { host = google_sql_database_instance.this.private_ip_address })
  }

  lifecycle {
    ignore_changes = [boot_disk[0].initialize_params[0].image]
  }
}

data "google_compute_image" "debian_gateway" {
  count   = var.links == "tls" ? 1 : 0
  family  = "debian-12"
  project = "debian-cloud"
}
