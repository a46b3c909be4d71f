resource "google_service_account" "service" {
  project      = local.project
  account_id   = "${var.name}-svc"
  display_name = "fraiseql ${var.deployment} ${var.region}: service"
  depends_on   = [google_project_service.this]
}

# What the collector uses: it may read metrics and this region's token, and change nothing.
resource "google_service_account" "monitoring" {
  project      = local.project
  account_id   = "${var.name}-mon"
  display_name = "fraiseql ${var.deployment} ${var.region}: monitoring"
  depends_on   = [google_project_service.this]
}

resource "google_project_iam_member" "service" {
  for_each = toset(["roles/logging.logWriter", "roles/monitoring.metricWriter"])
  project  = local.project
  role     = each.key
  member   = "serviceAccount:${google_service_account.service.email}"
}

resource "google_project_iam_member" "monitoring" {
  for_each = toset(["roles/monitoring.viewer", "roles/logging.viewer", "roles/cloudsql.viewer"])
  project  = local.project
  role     = each.key
  member   = "serviceAccount:${google_service_account.monitoring.email}"
}

# Secrets are made empty. The first instance puts a random value where none is, so that no plan or state holds it.
resource "google_secret_manager_secret" "this" {
  for_each   = toset(["database", "metrics-token"])
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

resource "google_secret_manager_secret_iam_member" "service_read" {
  for_each  = google_secret_manager_secret.this
  secret_id = each.value.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${google_service_account.service.email}"
}

resource "google_secret_manager_secret_iam_member" "service_add" {
  for_each  = google_secret_manager_secret.this
  secret_id = each.value.id
  role      = "roles/secretmanager.secretVersionAdder"
  member    = "serviceAccount:${google_service_account.service.email}"
}

resource "google_secret_manager_secret_iam_member" "user" {
  for_each  = toset(values(var.service.secret_environment))
  secret_id = each.key
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${google_service_account.service.email}"
}

# The schema, where it lies in a bucket: it may read objects there, and list none.
resource "google_storage_bucket_iam_member" "schema" {
  count  = startswith(var.service.schema, "gs://") ? 1 : 0
  bucket = split("/", var.service.schema)[2]
  role   = "roles/storage.legacyObjectReader"
  member = "serviceAccount:${google_service_account.service.email}"
}

resource "google_secret_manager_secret_iam_member" "monitoring" {
  secret_id = google_secret_manager_secret.this["metrics-token"].id
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${google_service_account.monitoring.email}"
}

# The first instance also gives the database's user the password that it put into the secret.
resource "google_project_iam_custom_role" "database_user" {
  project     = local.project
  role_id     = replace("${var.name}_user_${local.mark}", "-", "_")
  title       = "fraiseql ${var.deployment} ${var.region}: password of the database's user"
  permissions = ["cloudsql.users.create", "cloudsql.users.list", "cloudsql.users.update", "cloudsql.instances.get"]
}

resource "google_project_iam_member" "database_user" {
  project = local.project
  role    = google_project_iam_custom_role.database_user.id
  member  = "serviceAccount:${google_service_account.service.email}"

  condition {
    title      = "This region's instance"
    expression = "resource.name == 'projects/${local.project}/instances/${local.database}' && resource.service == 'sqladmin.googleapis.com'"
  }
}

# What is kept of who reads and writes data (Data Access audit logs of Cloud SQL, into which pgaudit writes) is the project's to
# say: its setting has one owner, and a region that set it would overrule the project and take it away when it goes.

resource "google_logging_project_bucket_config" "this" {
  project        = local.project
  location       = var.location
  bucket_id      = "${var.name}-${local.mark}"
  retention_days = min(var.log_retention_days, 3650)
  depends_on     = [google_project_service.this]
}

resource "google_logging_project_sink" "this" {
  project                = local.project
  name                   = var.name
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.this.id}"
  filter                 = "(log_id(\"gcplogs-docker-driver\") AND jsonPayload.container.metadata.\"fraiseql-name\"=\"${var.name}\") OR (resource.type=\"cloudsql_database\" AND resource.labels.database_id=\"${local.project}:${local.database}\")"
  unique_writer_identity = true
}
