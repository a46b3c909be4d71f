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
    "block-project-ssh-keys"  = "true"
    "enable-guest-attributes" = "TRUE"
    "startup-script"          = local.gateway_script
  }

  service_account {
    email  = google_service_account.gateway[0].email
    scopes = ["cloud-platform"]
  }

  lifecycle {
    ignore_changes       = [boot_disk[0].initialize_params[0].image]
    replace_triggered_by = [terraform_data.gateway[0]] # a script runs when its machine begins
  }
}

data "google_compute_image" "debian_gateway" {
  count   = var.links == "tls" ? 1 : 0
  family  = "debian-12"
  project = "debian-cloud"

  depends_on = [google_project_service.this]
}

locals {
  gateway_script = var.links == "tls" ? templatefile("${path.module}/gateway.sh.tftpl", {
    host    = google_sql_database_instance.this.private_ip_address
    program = var.gateway_program
    store   = file("${path.module}/gateway_store.py")
    ca      = try(google_sql_database_instance.this.server_ca_cert[0].cert, "")
    settings = {
      host        = google_sql_database_instance.this.private_ip_address
      port        = 5432
      database    = google_sql_database.this.name
      sslmode     = "verify-ca" # the instance has an authority of its own, and its certificate no address
      sslrootcert = "/etc/fraiseql/database-ca.pem"
      secret      = google_secret_manager_secret.this["database"].id
      document    = google_secret_manager_secret.replication["replication"].id
      password    = google_secret_manager_secret.replication["replication-password"].id
    }
  }) : ""
}

resource "terraform_data" "gateway" {
  count            = var.links == "tls" ? 1 : 0
  triggers_replace = sha256(local.gateway_script)
}

# The database reaches its peers through the gateway, by a port each.
resource "google_compute_firewall" "gateway" {
  count         = var.links == "tls" ? 1 : 0
  project       = local.project
  name          = "${var.name}-gateway"
  network       = google_compute_network.this.id
  description   = "From the database, to the peers"
  source_ranges = [cidrsubnet(var.cidr, 1, 1)]
  target_tags   = ["${var.name}-gateway"]

  allow {
    protocol = "tcp"
    ports    = ["15432-15687"]
  }
}

resource "google_service_account" "gateway" {
  count        = var.links == "tls" ? 1 : 0
  project      = local.project
  account_id   = "${var.name}-gw"
  display_name = "fraiseql ${var.deployment} ${var.region}: gateway"
  depends_on   = [google_project_service.this]
}

# The global root puts values into them: what the gateway does, and the password of the role that fetches rows, alike in all
# regions.
resource "google_secret_manager_secret" "replication" {
  for_each   = var.links == "tls" ? toset(["replication", "replication-password"]) : toset([])
  project    = local.project
  secret_id  = "${var.name}-${each.key}"
  labels     = merge(local.labels, { "fraiseql-address" = "google_secret_manager_secret-${each.key}" })
  depends_on = [google_project_service.this]

  replication {
    user_managed {
      replicas {
        location = var.location
      }
    }
  }
}

resource "google_secret_manager_secret_iam_member" "gateway" {
  for_each = var.links == "tls" ? {
    database             = google_secret_manager_secret.this["database"].id
    replication          = google_secret_manager_secret.replication["replication"].id
    replication-password = google_secret_manager_secret.replication["replication-password"].id
  } : {}
  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${google_service_account.gateway[0].email}"
}
