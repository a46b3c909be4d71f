locals {
  environment = merge({
    FRAISEQL_BIND_ADDR       = "0.0.0.0:${var.service.port}"
    FRAISEQL_SCHEMA_PATH     = startswith(var.service.schema, "/") ? var.service.schema : "/srv/fraiseql/schema.compiled.json"
    FRAISEQL_METRICS_ENABLED = "true"
    FRAISEQL_LOG_FORMAT      = "json"
    FRAISEQL_ENV             = var.environment
    RUST_LOG                 = var.service.log_level
    OTEL_RESOURCE_ATTRIBUTES = "cloud.provider=gcp,cloud.region=${var.location},region=${var.region},deployment.environment=${var.environment}"
    FRAISEQL_NODE_INDEX      = tostring(var.node.index)
    FRAISEQL_NODE_COUNT      = tostring(var.node.count)
    },
    var.service.otlp_endpoint == "" ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT = "${trimsuffix(trimsuffix(var.service.otlp_endpoint, "/"), "/v1/traces")}/v1/traces" },
    var.service.environment,
  )
  arm = can(regex("^(t2a|c4a|n4a)-", var.instance_type))

  # Later families take no persistent disks.
  disk_type = can(regex("^(c4|c4a|c4d|n4|n4a|n4d)-", var.instance_type)) ? "hyperdisk-balanced" : "pd-balanced"
}

data "google_compute_image" "debian" {
  family  = local.arm ? "debian-12-arm64" : "debian-12"
  project = "debian-cloud"

  depends_on = [google_project_service.this]
}

locals {
  startup_script = templatefile("${path.module}/service.sh.tftpl", {
    project     = local.project
    name        = var.name
    instance    = google_sql_database_instance.this.name
    host        = google_sql_database_instance.this.private_ip_address
    database    = google_sql_database.this.name
    service     = var.service
    environment = local.environment
  })
  template_labels = merge(local.labels, { "fraiseql-address" = "google_compute_region_instance_template-service" })

  # A template cannot be changed: each content has a name of its own, the same in every run.
  template_name = "${var.name}-${substr(sha256(jsonencode([
    var.instance_type, local.template_labels, data.google_compute_image.debian.self_link, google_compute_subnetwork.this.id,
    google_service_account.service.email, local.startup_script, local.disk_type,
  ])), 0, 8)}"
}

resource "google_compute_region_instance_template" "service" {
  project      = local.project
  name         = local.template_name
  region       = var.location
  machine_type = var.instance_type
  tags         = ["${var.name}-service"]
  labels       = local.template_labels

  disk {
    source_image = data.google_compute_image.debian.self_link
    disk_size_gb = 20
    disk_type    = local.disk_type
    boot         = true
    auto_delete  = true
  }

  network_interface {
    subnetwork = google_compute_subnetwork.this.id
  }

  service_account {
    email  = google_service_account.service.email
    scopes = ["cloud-platform"] # what it may do is said by its roles
  }

  shielded_instance_config {
    enable_secure_boot          = true
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }

  metadata = {
    "block-project-ssh-keys" = "true"
    "enable-oslogin"         = "TRUE"
    "startup-script"         = local.startup_script
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_region_health_check" "service" {
  project             = local.project
  name                = var.name
  region              = var.location
  check_interval_sec  = 5
  timeout_sec         = 3
  healthy_threshold   = 2
  unhealthy_threshold = 3

  http_health_check {
    port         = var.service.port
    request_path = var.service.readiness_path
  }
}

resource "google_compute_health_check" "balancer" {
  project             = local.project
  name                = "${var.name}-balancer"
  check_interval_sec  = 5
  timeout_sec         = 3
  healthy_threshold   = 2
  unhealthy_threshold = 2

  http_health_check {
    port         = var.service.port
    request_path = var.service.readiness_path
  }
}

resource "google_compute_region_instance_group_manager" "service" {
  project                          = local.project
  name                             = var.name
  region                           = var.location
  base_instance_name               = var.name
  distribution_policy_zones        = local.zones
  distribution_policy_target_shape = "EVEN"
  # The first boot fetches packages and secrets, and sets the password: the way out and the permissions come first.
  depends_on = [
    google_compute_router_nat.this, google_project_iam_member.database_user, google_project_iam_member.service,
    google_secret_manager_secret_iam_member.service_add, google_secret_manager_secret_iam_member.service_read,
    google_secret_manager_secret_iam_member.user, google_storage_bucket_iam_member.schema,
  ]

  version {
    instance_template = google_compute_region_instance_template.service.self_link
  }

  named_port {
    name = "http"
    port = var.service.port
  }

  auto_healing_policies {
    health_check      = google_compute_region_health_check.service.id
    initial_delay_sec = 300
  }

  update_policy {
    type                         = "PROACTIVE"
    minimal_action               = "REPLACE"
    instance_redistribution_type = "PROACTIVE"
    max_surge_fixed              = length(local.zones)
    max_unavailable_fixed        = 0
  }
}

resource "google_compute_region_autoscaler" "service" {
  project = local.project
  name    = var.name
  region  = var.location
  target  = google_compute_region_instance_group_manager.service.id

  autoscaling_policy {
    min_replicas    = var.instances
    max_replicas    = max(var.instances, var.max_instances)
    cooldown_period = 120

    cpu_utilization {
      target = 0.6
    }
  }
}

resource "google_compute_backend_service" "this" {
  project                         = local.project
  name                            = var.name
  load_balancing_scheme           = "EXTERNAL_MANAGED"
  protocol                        = "HTTP"
  port_name                       = "http"
  timeout_sec                     = 60
  connection_draining_timeout_sec = 30
  health_checks                   = [google_compute_health_check.balancer.id]

  backend {
    group           = google_compute_region_instance_group_manager.service.instance_group
    balancing_mode  = "UTILIZATION"
    capacity_scaler = 1.0
  }

  log_config {
    enable      = true
    sample_rate = 1.0
  }
}

resource "google_compute_url_map" "this" {
  project         = local.project
  name            = var.name
  default_service = google_compute_backend_service.this.id
}

resource "google_compute_global_address" "balancer" {
  project = local.project
  name    = "${var.name}-balancer"
  labels  = merge(local.labels, { "fraiseql-address" = "google_compute_global_address-balancer" })
}

# Google makes a certificate once it finds these records, which the global root writes into the domain's zone. A certificate
# that is validated through the load balancer would never be made: the domain leads to regions of other clouds too.
resource "google_certificate_manager_dns_authorization" "this" {
  for_each   = local.own_certificate ? toset(local.names) : toset([])
  project    = local.project
  name       = "${var.name}-${substr(sha256(each.key), 0, 6)}"
  domain     = each.key
  type       = "PER_PROJECT_RECORD"
  labels     = merge(local.labels, { "fraiseql-address" = "google_certificate_manager_dns_authorization-this" })
  depends_on = [google_project_service.this]
}

resource "google_certificate_manager_certificate" "this" {
  count   = local.own_certificate ? 1 : 0
  project = local.project
  # Domains cannot be changed: others are another certificate, which is there before the first one goes.
  name   = "${var.name}-${substr(sha256(join(" ", local.names)), 0, 6)}"
  labels = merge(local.labels, { "fraiseql-address" = "google_certificate_manager_certificate-this" })

  managed {
    domains            = local.names
    dns_authorizations = [for name in local.names : google_certificate_manager_dns_authorization.this[name].id]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_certificate_manager_certificate_map" "this" {
  count      = local.own_certificate ? 1 : 0
  project    = local.project
  name       = var.name
  labels     = merge(local.labels, { "fraiseql-address" = "google_certificate_manager_certificate_map-this" })
  depends_on = [google_project_service.this]
}

resource "google_certificate_manager_certificate_map_entry" "this" {
  count        = local.own_certificate ? 1 : 0
  project      = local.project
  name         = var.name
  map          = google_certificate_manager_certificate_map.this[0].name
  certificates = [google_certificate_manager_certificate.this[0].id]
  matcher      = "PRIMARY"
  labels       = merge(local.labels, { "fraiseql-address" = "google_certificate_manager_certificate_map_entry-this" })
}

resource "google_compute_ssl_policy" "this" {
  count           = local.tls ? 1 : 0
  project         = local.project
  name            = var.name
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "this" {
  count            = local.tls ? 1 : 0
  project          = local.project
  name             = var.name
  url_map          = google_compute_url_map.this.id
  ssl_certificates = local.own_certificate ? null : [var.certificate]
  certificate_map  = local.own_certificate ? "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.this[0].id}" : null
  ssl_policy       = google_compute_ssl_policy.this[0].id
}

resource "google_compute_global_forwarding_rule" "https" {
  count                 = local.tls ? 1 : 0
  project               = local.project
  name                  = "${var.name}-https"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.balancer.id
  port_range            = "443"
  target                = google_compute_target_https_proxy.this[0].id
  labels                = merge(local.labels, { "fraiseql-address" = "google_compute_global_forwarding_rule-https" })
}

resource "google_compute_url_map" "redirect" {
  count   = local.tls ? 1 : 0
  project = local.project
  name    = "${var.name}-redirect"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }
}

resource "google_compute_target_http_proxy" "this" {
  project = local.project
  name    = var.name
  url_map = local.tls ? google_compute_url_map.redirect[0].id : google_compute_url_map.this.id
}

resource "google_compute_global_forwarding_rule" "http" {
  project               = local.project
  name                  = "${var.name}-http"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.balancer.id
  port_range            = "80"
  target                = google_compute_target_http_proxy.this.id
  labels                = merge(local.labels, { "fraiseql-address" = "google_compute_global_forwarding_rule-http" })
}
