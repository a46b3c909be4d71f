data "google_client_config" "current" {}

data "google_project" "current" {
  count      = var.database.encryption_key == "" ? 0 : 1
  depends_on = [google_project_service.this]
}

# A project in which nothing was ever made answers such questions only once its services are switched on.
data "google_compute_zones" "available" {
  count      = length(var.zone_names) == 0 ? 1 : 0
  region     = var.location
  status     = "UP"
  depends_on = [google_project_service.this]
}

locals {
  # Said to every resource: what was made before a run was cut off is found again by project, place and name.
  project    = data.google_client_config.current.project
  zone_names = length(var.zone_names) > 0 ? var.zone_names : sort(data.google_compute_zones.available[0].names)
  zones      = slice(local.zone_names, 0, min(var.zones, length(local.zone_names)))

  # Labels are lower case letters, digits, dashes and underscores, at most 63 of them.
  labels = merge(
    { for key, value in var.labels : substr(replace(lower(key), "/[^a-z0-9_-]/", "-"), 0, 63) => substr(replace(lower(value), "/[^a-z0-9_-]/", "-"), 0, 63) },
    {
      "fraiseql-deployment"    = var.deployment
      "fraiseql-deployment-id" = var.deployment_id
      "fraiseql-region"        = var.region
      "environment"            = replace(lower(var.environment), "/[^a-z0-9_-]/", "-")
    },
  )

  names = var.domain == "" ? [] : ["${var.region}.${var.domain}", var.domain]
  tls   = var.certificate != "" || var.domain != ""

  own_certificate = var.certificate == "" && var.domain != ""

  # Names that Google goes on holding when what bore them is gone (a database's for a week, a role's for 37 days, a log bucket's
  # for a week) end with what is new when a region is made anew.
  mark     = substr(sha256(google_service_account.service.unique_id), 0, 6)
  database = "${var.name}-${local.mark}"

  # Known once they are allotted.
  address         = google_compute_global_address.balancer.address == null ? "" : google_compute_global_address.balancer.address
  gateway_address = one(google_compute_address.gateway[*].address)

  # Google probes load-balanced instances from these ranges only.
  probe_ranges = ["35.191.0.0/16", "130.211.0.0/22"]
}

resource "google_project_service" "this" {
  for_each = toset([
    "certificatemanager.googleapis.com", "cloudresourcemanager.googleapis.com", "compute.googleapis.com", "iam.googleapis.com", "logging.googleapis.com", "monitoring.googleapis.com",
    "secretmanager.googleapis.com", "servicenetworking.googleapis.com", "sqladmin.googleapis.com",
  ])
  project            = local.project
  service            = each.key
  disable_on_destroy = false # others in the project may need it
}
