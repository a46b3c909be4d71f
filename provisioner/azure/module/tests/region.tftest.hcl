# Terraform mocks no ephemeral resources, so this wants a provider that has the schema and no cloud
# (tests/integration/schema_providers).
provider "azurerm" {
  subscription_id = "00000000-0000-0000-0000-000000000000"
  features {}
}

variables {
  name          = "fraiseql-eu-west"
  deployment    = "fraiseql"
  deployment_id = "0198c1de-0000-7000-8000-000000000001"
  region        = "eu-west"
  environment   = "production"
  location      = "westeurope"
  cidr          = "10.1.0.0/16"
  instance_type = "Standard_D4s_v5"
  instances     = 3
  max_instances = 6
  links         = "tls"
  labels        = { team = "SRE Team", weird = "q\"uo" }
  service       = { image = "ghcr.io/fraiseql/server:2.19.0", port = 8000, schema = "https://b.blob.core.windows.net/c/s.json", health_path = "/health", readiness_path = "/readiness", metrics_path = "/metrics", log_level = "info", otlp_endpoint = "http://c:4318", environment = { A = "b" }, secret_environment = { X = "some-secret" } }
  database      = { engine = "postgresql", version = 16, class = "Standard_D4s_v3", storage_gb = 100, max_storage_gb = 500, high_availability = true, deletion_protection = false, public_access = false, backup_days = 14, backup_window = "02:00-03:00", geo_redundant = false, backup_location = "", encryption_key = "", logical_replication = true, parameters = { max_replication_slots = "10", track_commit_timestamp = "on", wal_level = "logical" } }
}
run "http" {
  command = apply
  assert {
    condition     = output.endpoint_kind == "address" && startswith(output.url, "http://")
    error_message = "url"
  }
}

run "as_asked" {
  command = apply

  assert {
    condition     = azurerm_key_vault.this.name == "fraiseql-eu-west-${local.unique}" && azurerm_postgresql_flexible_server.this.name == "fraiseql-eu-west-${local.unique}" && azurerm_public_ip.balancer.domain_name_label == "fraiseql-eu-west-${local.unique}" && can(regex("^[0-9a-f]{6}$", local.unique))
    error_message = "What shares a space of names with the whole world ends with this deployment's mark."
  }
  assert {
    condition     = azurerm_key_vault_secret.database.value_wo == null && azurerm_postgresql_flexible_server.this.administrator_password_wo == null && azurerm_postgresql_flexible_server.this.administrator_password == null
    error_message = "No state has the password."
  }
  assert {
    condition     = alltrue([for key in azurerm_linux_virtual_machine_scale_set.service.admin_ssh_key : key.public_key == local.nobodys_key]) && azurerm_linux_virtual_machine_scale_set.service.disable_password_authentication
    error_message = "Without a key of the user's, the one that has no private half; passwords never."
  }
  assert {
    condition     = azurerm_linux_virtual_machine_scale_set.service.custom_data == null && strcontains(base64decode(jsondecode([for e in azurerm_linux_virtual_machine_scale_set.service.extension : e.settings if e.name == "service"][0]).script), "ghcr.io/fraiseql/server:2.19.0") && azurerm_linux_virtual_machine_scale_set.service.upgrade_mode == "Rolling"
    error_message = "What runs on the machines is an extension, which a change rolls over them."
  }
  assert {
    condition     = !azurerm_linux_virtual_machine_scale_set.service.encryption_at_host_enabled && length(azurerm_role_assignment.elsewhere) == 0
    error_message = "Only where the subscription has the feature; no right where nothing is."
  }

  assert {
    condition     = azurerm_postgresql_flexible_server.this.sku_name == "GP_Standard_D4s_v3" && azurerm_postgresql_flexible_server.this.storage_mb == 131072 && azurerm_postgresql_flexible_server.this.public_network_access_enabled == false
    error_message = "The class gets its tier, the disk the next size there is, and the server no public door."
  }
  assert {
    condition     = azurerm_postgresql_flexible_server_configuration.this["wal_level"].value == "logical" && azurerm_postgresql_flexible_server_configuration.this["require_secure_transport"].value == "on"
    error_message = "Replication and TLS are configured."
  }
  assert {
    condition     = strcontains(base64decode(jsondecode([for e in azurerm_linux_virtual_machine_scale_set.service.extension : e.settings if e.name == "service"][0]).script), "--log-driver syslog --log-opt syslog-facility=local0") && azurerm_monitor_data_collection_rule.service.data_sources[0].syslog[0].facility_names[0] == "local0" && azurerm_monitor_data_collection_rule_association.service.target_resource_id == azurerm_linux_virtual_machine_scale_set.service.id
    error_message = "What the service says goes to the region's workspace."
  }
  assert {
    condition     = length(azurerm_linux_virtual_machine.gateway) == 1 && azurerm_virtual_network.this.tags["fraiseql-address"] == "azurerm_virtual_network.this"
    error_message = "One gateway; every resource says where it belongs."
  }
}

run "https" {
  command = apply
  variables { domain = "example.com" }
  assert {
    condition     = output.url == "https://eu-west.example.com"
    error_message = "url"
  }
}

run "own_key_vaults_and_hosts" {
  command = apply

  variables {
    ssh_public_key     = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBgWlHqQ3Q6J8p3H4cQH8o7y6nZ4l0m1y2x3w4v5u6t7 somebody"
    encryption_at_host = "true"
    certificate        = "https://ours.vault.azure.net/secrets/balancer"
    service            = { image = "i", port = 8000, schema = "/s.json", health_path = "/h", readiness_path = "/r", metrics_path = "/m", log_level = "info", otlp_endpoint = "", environment = {}, secret_environment = { A = "here", B = "https://ours.vault.azure.net/secrets/b", C = "https://ours.vault.azure.net/secrets/c", D = "https://other.vault.azure.net/secrets/d" } }
    database           = { engine = "postgresql", version = 16, class = "Standard_D4s_v3", storage_gb = 100, max_storage_gb = 100, high_availability = false, deletion_protection = false, public_access = false, backup_days = 14, backup_window = "02:00-03:00", geo_redundant = false, backup_location = "", encryption_key = "https://ours.vault.azure.net/keys/k/0123", logical_replication = false, parameters = {} }
  }

  assert {
    condition     = azurerm_linux_virtual_machine_scale_set.service.encryption_at_host_enabled && azurerm_linux_virtual_machine.gateway[0].encryption_at_host_enabled && azurerm_linux_virtual_machine.gateway[0].disable_password_authentication
    error_message = "As asked, on every machine."
  }
  assert {
    condition     = alltrue([for key in azurerm_linux_virtual_machine_scale_set.service.admin_ssh_key : endswith(key.public_key, "somebody")])
    error_message = "The user's key."
  }
  assert {
    condition     = { for who, right in azurerm_role_assignment.elsewhere : who => right.role_definition_name } == { "balancer" = "Key Vault Secrets User", "database" = "Key Vault Crypto Service Encryption User", "service/other" = "Key Vault Secrets User", "service/ours" = "Key Vault Secrets User" }
    error_message = "Each may use what was given from other vaults, one right a vault."
  }
  assert {
    condition     = azurerm_role_assignment.elsewhere["database"].principal_id == azurerm_user_assigned_identity.database[0].principal_id && azurerm_role_assignment.elsewhere["service/ours"].principal_id == azurerm_user_assigned_identity.service.principal_id && azurerm_role_assignment.elsewhere["balancer"].principal_id == azurerm_user_assigned_identity.balancer.principal_id
    error_message = "Each the one who uses it."
  }
}

run "a_vault_elsewhere" {
  command = apply

  override_data {
    target = data.azurerm_resources.vault["far"]
    values = { resources = [] }
  }

  variables {
    certificate = "https://far.vault.azure.net/secrets/balancer"
  }

  # A warning that says what to do, not an end.
  expect_failures = [check.vaults_elsewhere]
}

run "long_name" {
  command = apply

  variables {
    name = "a--very-long-name-of-abc"
  }

  assert {
    condition     = can(regex("^[a-z](-?[a-z0-9])+$", azurerm_key_vault.this.name)) && length(azurerm_key_vault.this.name) <= 24
    error_message = "A vault's name has 24 characters at most and no two dashes together."
  }
}

run "logs_for_six_years" {
  command = apply

  variables {
    log_retention_days = 2190
  }

  assert {
    condition     = azurerm_log_analytics_workspace.this.retention_in_days == 730 && { for name, table in azurerm_log_analytics_workspace_table.kept : name => table.total_retention_in_days } == { AzureDiagnostics = 2191, Syslog = 2191 }
    error_message = "What a workspace does not keep its tables do."
  }
}

run "not_a_key" {
  command = plan

  variables {
    ssh_public_key = "ssh-dss AAAA"
  }

  expect_failures = [var.ssh_public_key]
}

run "not_a_vault" {
  command = plan

  variables {
    certificate        = "certificate.pem"
    encryption_at_host = "yes"
  }

  expect_failures = [var.certificate, var.encryption_at_host]
}

run "a_number_that_stays" {
  command = plan

  variables {
    instances     = 5
    max_instances = 5
  }

  assert {
    condition     = azurerm_monitor_autoscale_setting.service.profile[0].capacity[0].minimum == 5 && azurerm_monitor_autoscale_setting.service.profile[0].capacity[0].maximum == 5
    error_message = "A changed number of instances reaches the scale set, which itself ignores it."
  }
  assert {
    condition     = azurerm_linux_virtual_machine_scale_set.service.rolling_upgrade_policy[0].max_unhealthy_instance_percent == 100 && azurerm_linux_virtual_machine_scale_set.service.rolling_upgrade_policy[0].max_unhealthy_upgraded_instance_percent == 34
    error_message = "What all machines are ill of can be mended by a deploy; what makes them ill stops."
  }
  assert {
    condition     = contains(azurerm_subnet.database.service_endpoints, "Microsoft.Storage")
    error_message = "What Azure adds to a database's subnet is no drift."
  }
}

run "another_version" {
  command = plan

  variables {
    database = { engine = "postgresql", version = 17, class = "Standard_D4s_v3", storage_gb = 100, max_storage_gb = 500, high_availability = true, deletion_protection = true, public_access = false, backup_days = 14, backup_window = "02:00-03:00", geo_redundant = false, backup_location = "", encryption_key = "", logical_replication = true, parameters = {} }
  }

  # It would be another server, and the data would go with the first one.
  expect_failures = [azurerm_postgresql_flexible_server.this]
}
