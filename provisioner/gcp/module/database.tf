locals {
  # Cloud SQL sets wal_level by a flag of its own and knows on and off, not 1 and 0.
  parameters = merge(
    { for name, value in var.database.parameters : name => (value == "1" && name == "track_commit_timestamp" ? "on" : value) if name != "wal_level" },
    var.database.logical_replication ? { "cloudsql.logical_decoding" = "on" } : {},
    { "log_connections" = "on", "log_disconnections" = "on", "log_checkpoints" = "on", "log_lock_waits" = "on" },
    var.audit_log ? { "cloudsql.enable_pgaudit" = "on", "pgaudit.log" = "ddl,role,write" } : {},
  )
}

# Without a key of the user's, Google encrypts with its own. This module makes none: key rings and keys can never be removed,
# so that a deployment could not be made anew after it was destroyed, and destroying a key would take the backups that were
# to stay with it.
resource "google_kms_crypto_key_iam_member" "sql" {
  count         = var.database.encryption_key == "" ? 0 : 1
  crypto_key_id = var.database.encryption_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  # Cloud SQL's own agent. A project in which it was never used has none yet; this makes it:
  # gcloud beta services identity create --service=sqladmin.googleapis.com
  member     = "serviceAccount:service-${data.google_project.current[0].number}@gcp-sa-cloud-sql.iam.gserviceaccount.com"
  depends_on = [google_project_service.this]
}

resource "google_sql_database_instance" "this" {
  project             = local.project
  name                = local.database
  region              = var.location
  database_version    = "POSTGRES_${var.database.version}"
  encryption_key_name = var.database.encryption_key == "" ? null : var.database.encryption_key
  deletion_protection = var.database.deletion_protection
  depends_on          = [google_service_networking_connection.this, google_kms_crypto_key_iam_member.sql]

  settings {
    tier                        = var.database.class
    edition                     = startswith(var.database.class, "db-perf-optimized-") ? "ENTERPRISE_PLUS" : "ENTERPRISE"
    availability_type           = var.database.high_availability ? "REGIONAL" : "ZONAL"
    disk_type                   = "PD_SSD"
    disk_size                   = var.database.storage_gb
    disk_autoresize             = var.database.max_storage_gb > var.database.storage_gb
    disk_autoresize_limit       = var.database.max_storage_gb
    deletion_protection_enabled = var.database.deletion_protection
    retain_backups_on_delete    = var.final_snapshot != ""
    user_labels                 = merge(local.labels, { "fraiseql-address" = "google_sql_database_instance-this" })

    ip_configuration {
      ipv4_enabled    = var.database.public_access
      private_network = google_compute_network.this.id
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = var.database.backup_days > 0
      point_in_time_recovery_enabled = var.database.backup_days > 0
      start_time                     = split("-", var.database.backup_window)[0]
      location                       = var.database.backup_location == "" ? var.location : var.database.backup_location
      transaction_log_retention_days = min(max(var.database.backup_days, 1), 7)

      backup_retention_settings {
        retained_backups = max(var.database.backup_days, 1)
        retention_unit   = "COUNT"
      }
    }

    insights_config {
      query_insights_enabled = true
    }

    dynamic "database_flags" {
      for_each = local.parameters
      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }
  }
}

resource "google_sql_database" "this" {
  project  = local.project
  name     = "fraiseql"
  instance = google_sql_database_instance.this.name
}
