mock_provider "google" {
  mock_data "google_compute_zones" { defaults = { names = ["europe-west1-b", "europe-west1-c", "europe-west1-d"] } }
  mock_data "google_client_config" { defaults = { project = "p1" } }
}
variables {
  name          = "fraiseql-eu-west"
  deployment    = "fraiseql"
  deployment_id = "0198c1de-0000-7000-8000-000000000001"
  region        = "eu-west"
  environment   = "production"
  location      = "europe-west1"
  cidr          = "10.1.0.0/16"
  instance_type = "n2-standard-4"
  instances     = 3
  max_instances = 6
  links         = "tls"
  labels        = { team = "SRE Team", weird = "q\"uo" }
  service       = { image = "ghcr.io/fraiseql/server:2.19.0", port = 8000, schema = "gs://b/s.json", health_path = "/health", readiness_path = "/readiness", metrics_path = "/metrics", log_level = "info", otlp_endpoint = "http://c:4318", environment = { A = "b" }, secret_environment = { X = "some-secret" } }
  database      = { engine = "postgresql", version = 16, class = "db-custom-4-16384", storage_gb = 100, max_storage_gb = 500, high_availability = true, deletion_protection = false, public_access = false, backup_days = 14, backup_window = "02:00-03:00", geo_redundant = false, backup_location = "", encryption_key = "", logical_replication = true, parameters = { max_replication_slots = "10", track_commit_timestamp = "on", wal_level = "logical" } }
}

run "http" {
  command = apply

  assert {
    condition     = output.endpoint_kind == "address" && startswith(output.url, "http://")
    error_message = "url"
  }
  assert {
    condition     = google_sql_database_instance.this.encryption_key_name == null && length(google_kms_crypto_key_iam_member.sql) == 0
    error_message = "No key is made, for none could ever be removed."
  }
  assert {
    condition     = can(regex("^fraiseql-eu-west-[0-9a-f]{8}$", google_compute_region_instance_template.service.name)) && google_compute_region_instance_template.service.name == local.template_name
    error_message = "A template's name is made of its content."
  }
  assert {
    condition     = can(regex("^fraiseql-eu-west-[0-9a-f]{6}$", google_logging_project_bucket_config.this.bucket_id))
    error_message = "A bucket's name is not that of the one before the region was destroyed."
  }
  assert {
    condition     = strcontains(google_logging_project_sink.this.filter, "jsonPayload.container.metadata.\"fraiseql-name\"=\"fraiseql-eu-west\"") && strcontains(local.startup_script, "--label fraiseql-name=fraiseql-eu-west --log-driver gcplogs --log-opt labels=fraiseql-name")
    error_message = "The sink looks for the label that the containers' logs carry."
  }
  assert {
    condition     = google_sql_database_instance.this.project == "p1" && google_compute_network.this.project == "p1" && google_service_account.service.project == "p1"
    error_message = "Every resource says its project."
  }
  assert {
    condition     = length(google_compute_region_instance_group_manager.service.distribution_policy_zones) == 3 && google_compute_instance.gateway[0].zone == "europe-west1-b"
    error_message = "The zones that the region has."
  }
}

run "names_that_google_goes_on_holding" {
  command = apply

  assert {
    condition     = google_sql_database_instance.this.name == "fraiseql-eu-west-${local.mark}" && google_project_iam_custom_role.database_user.role_id == "fraiseql_eu_west_user_${local.mark}" && can(regex("^[0-9a-f]{6}$", local.mark))
    error_message = "A database and a role that were removed keep their names for a while; those of a region made anew are others."
  }
  assert {
    condition     = strcontains(google_project_iam_member.database_user.condition[0].expression, "/instances/${google_sql_database_instance.this.name}'") && strcontains(google_logging_project_sink.this.filter, ":${google_sql_database_instance.this.name}\"")
    error_message = "The right and the sink are this instance's."
  }
  assert {
    condition     = google_storage_bucket_iam_member.schema[0].bucket == "b" && contains(keys(google_project_service.this), "cloudresourcemanager.googleapis.com")
    error_message = "The service may read its schema; rights in a project take a service of the project's."
  }
}

run "families_without_persistent_disks" {
  command = plan

  variables {
    instance_type = "n4-standard-4"
    database      = { engine = "postgresql", version = 16, class = "db-perf-optimized-N-4", storage_gb = 100, max_storage_gb = 500, high_availability = true, deletion_protection = false, public_access = false, backup_days = 14, backup_window = "02:00-03:00", geo_redundant = false, backup_location = "", encryption_key = "", logical_replication = true, parameters = {} }
  }

  assert {
    condition     = google_compute_region_instance_template.service.disk[0].disk_type == "hyperdisk-balanced" && google_sql_database_instance.this.settings[0].edition == "ENTERPRISE_PLUS"
    error_message = "N4 boots from Hyperdisk only; classes of Enterprise Plus want that edition."
  }
}

run "zones_and_key_given" {
  command = apply

  variables {
    zone_names = ["europe-west1-c", "europe-west1-d"]
    service    = { image = "i", port = 8000, schema = "/s.json", health_path = "/h", readiness_path = "/r", metrics_path = "/m", log_level = "info", otlp_endpoint = "", environment = {}, secret_environment = { A = "one", B = "one" } }
    database   = { engine = "postgresql", version = 16, class = "db-custom-4-16384", storage_gb = 100, max_storage_gb = 500, high_availability = true, deletion_protection = false, public_access = false, backup_days = 14, backup_window = "02:00-03:00", geo_redundant = false, backup_location = "", encryption_key = "projects/keys/locations/europe-west1/keyRings/r/cryptoKeys/k", logical_replication = false, parameters = {} }
  }

  assert {
    condition     = length(data.google_compute_zones.available) == 0 && google_compute_instance.gateway[0].zone == "europe-west1-c" && length(google_compute_region_instance_group_manager.service.distribution_policy_zones) == 2
    error_message = "Zones that are given are not asked for."
  }
  assert {
    condition     = google_sql_database_instance.this.encryption_key_name == "projects/keys/locations/europe-west1/keyRings/r/cryptoKeys/k" && google_kms_crypto_key_iam_member.sql[0].crypto_key_id == google_sql_database_instance.this.encryption_key_name
    error_message = "A key of the user's, and the right to use it."
  }
  assert {
    condition     = length(google_secret_manager_secret_iam_member.user) == 1
    error_message = "One right a secret, whatever it is used for."
  }
}

run "no_key" {
  command = plan

  variables {
    database = { engine = "postgresql", version = 16, class = "db-custom-4-16384", storage_gb = 100, max_storage_gb = 500, high_availability = true, deletion_protection = false, public_access = false, backup_days = 14, backup_window = "02:00-03:00", geo_redundant = false, backup_location = "", encryption_key = "alias/x", logical_replication = false, parameters = {} }
  }

  expect_failures = [var.database]
}

run "without_links" {
  command = plan

  variables {
    links = "none"
  }

  assert {
    condition     = output.gateway_address == "" && output.gateway_rule_target == ""
    error_message = "No gateway."
  }
}

run "https" {
  command = apply
  variables { domain = "example.com" }
  override_resource {
    target = google_certificate_manager_dns_authorization.this
    values = { dns_resource_record = [{ name = "_acme-challenge_x.example.com.", type = "CNAME", data = "y.authorize.certificatemanager.goog." }] }
  }
  assert {
    condition     = output.url == "https://eu-west.example.com"
    error_message = "url"
  }
  assert {
    condition     = google_certificate_manager_certificate.this[0].managed[0].domains == tolist(["eu-west.example.com", "example.com"]) && length(google_certificate_manager_dns_authorization.this) == 2 && startswith(google_compute_target_https_proxy.this[0].certificate_map, "//certificatemanager.googleapis.com/")
    error_message = "A certificate that Google makes, validated by records: the domain leads to other clouds too."
  }
  assert {
    condition     = jsondecode(output.certificate_records)[0] == { name = "_acme-challenge_x.example.com", type = "CNAME", data = "y.authorize.certificatemanager.goog" }
    error_message = "What the zone must have is said."
  }
}

run "certificate_given" {
  command = apply
  variables {
    domain      = "example.com"
    certificate = "projects/p1/global/sslCertificates/c"
  }
  assert {
    condition     = google_compute_target_https_proxy.this[0].ssl_certificates == tolist(["projects/p1/global/sslCertificates/c"]) && length(google_certificate_manager_certificate.this) == 0 && output.certificate_records == ""
    error_message = "The user's own."
  }
}
