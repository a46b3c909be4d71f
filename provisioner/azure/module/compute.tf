locals {
  environment = merge({
    FRAISEQL_BIND_ADDR       = "0.0.0.0:${var.service.port}"
    FRAISEQL_SCHEMA_PATH     = startswith(var.service.schema, "/") ? var.service.schema : "/srv/fraiseql/schema.compiled.json"
    FRAISEQL_METRICS_ENABLED = "true"
    FRAISEQL_LOG_FORMAT      = "json"
    FRAISEQL_ENV             = var.environment
    RUST_LOG                 = var.service.log_level
    OTEL_RESOURCE_ATTRIBUTES = "cloud.provider=azure,cloud.region=${var.location},region=${var.region},deployment.environment=${var.environment}"
    FRAISEQL_NODE_INDEX      = tostring(var.node.index)
    FRAISEQL_NODE_COUNT      = tostring(var.node.count)
    },
    var.service.otlp_endpoint == "" ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT = "${trimsuffix(trimsuffix(var.service.otlp_endpoint, "/"), "/v1/traces")}/v1/traces" },
    var.service.environment,
  )
  arm = can(regex("^Standard_[A-Z]+[0-9]+[a-z]*p[a-z]*s?_", var.instance_type))

  # Azure makes no Linux machine without a public key. Where none is given it gets one that opens no door: the modulus is the
  # number RSA-2048 of the RSA Factoring Challenge (1991), whose two primes were destroyed and which nobody has factored, so
  # there is no private half. It is the same in every run, and no state holds a secret for it.
  nobodys_key    = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDHlwzu3MOwdUSQIBp6phPNc5EQgceQ9fGocm9GNVC7W3/w244eoRiexy+T0WUAEb1yGu6swqzeMqBBB/BkjCgTox9bC3dl/4tEtLb/yTOEtkbrCcfPXoWS1A6jPIADnzW08UoEtR97/Xgb5NFnMWS6jrmRwsTXMLu+NfWSve9SSvfo2u/SbGb8AsR5r4nWTTc/RCcJQ53mbOuVXz6jfVFZ9hNYCfhTNLXLGBOt3IDNBWCfEKxqla1lhyyQlSW9rTK8cpWSZCkg8kxh3Fs8O3kj5WsWpNnTc9hyHySj/A8bMTH1VhUXKGa8zDD5UFTIJOczpetoF/e8FjmdSMY2HMfl"
  ssh_public_key = var.ssh_public_key == "" ? local.nobodys_key : var.ssh_public_key
}

resource "azurerm_linux_virtual_machine_scale_set" "service" {
  name                            = var.name
  resource_group_name             = azurerm_resource_group.this.name
  location                        = azurerm_resource_group.this.location
  sku                             = var.instance_type
  instances                       = var.instances
  zones                           = local.zones
  zone_balance                    = true
  computer_name_prefix            = substr(var.name, 0, 9)
  admin_username                  = "fraiseql"
  disable_password_authentication = true
  secure_boot_enabled             = !local.arm
  vtpm_enabled                    = !local.arm
  upgrade_mode                    = "Rolling"
  encryption_at_host_enabled      = var.encryption_at_host == "true"
  tags                            = merge(local.tags, { "fraiseql-address" = "azurerm_linux_virtual_machine_scale_set.service" })
  depends_on                      = [terraform_data.rights, azurerm_subnet_nat_gateway_association.service]

  admin_ssh_key {
    username   = "fraiseql"
    public_key = local.ssh_public_key
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.service.id]
  }

  source_image_reference {
    publisher = "Debian"
    offer     = "debian-12"
    sku       = local.arm ? "12-arm64" : "12-gen2"
    version   = "latest"
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
    disk_size_gb         = 30
  }

  network_interface {
    name    = "service"
    primary = true

    ip_configuration {
      name                                         = "service"
      primary                                      = true
      subnet_id                                    = azurerm_subnet.service.id
      application_gateway_backend_address_pool_ids = azurerm_application_gateway.this.backend_address_pool[*].id
    }
  }

  # Not custom data: that of machines that run is never looked at again. A changed extension runs anew on them, in the batches
  # of the rolling upgrade.
  extension {
    name                       = "service"
    publisher                  = "Microsoft.Azure.Extensions"
    type                       = "CustomScript"
    type_handler_version       = "2.1"
    auto_upgrade_minor_version = true
    settings = jsonencode({ script = base64encode(templatefile("${path.module}/service.sh.tftpl", {
      vault       = azurerm_key_vault.this.vault_uri
      client      = azurerm_user_assigned_identity.service.client_id
      host        = azurerm_postgresql_flexible_server.this.fqdn
      database    = azurerm_postgresql_flexible_server_database.this.name
      service     = var.service
      environment = local.environment
      password    = local.password_version # a new one is fetched by machines that run
    })) })
  }

  # Sends what the service says (syslog, facility local0) to the region's workspace; after the other, which installs rsyslog.
  extension {
    name                       = "logs"
    publisher                  = "Microsoft.Azure.Monitor"
    type                       = "AzureMonitorLinuxAgent"
    type_handler_version       = "1.0"
    auto_upgrade_minor_version = true
    provision_after_extensions = ["service"]
    settings = jsonencode({ authentication = { managedIdentity = {
      "identifier-name"  = "mi_res_id"
      "identifier-value" = azurerm_user_assigned_identity.service.id
    } } })
  }

  # Says to the rolling upgrade whether a machine is well.
  extension {
    name                       = "health"
    publisher                  = "Microsoft.ManagedServices"
    type                       = "ApplicationHealthLinux"
    type_handler_version       = "1.0"
    auto_upgrade_minor_version = true
    settings                   = jsonencode({ protocol = "http", port = var.service.port, requestPath = var.service.readiness_path })
  }

  rolling_upgrade_policy {
    max_batch_instance_percent = 34
    # Machines that are ill already do not keep the cure from coming; one that makes them ill stops after its first batch.
    max_unhealthy_instance_percent          = 100
    max_unhealthy_upgraded_instance_percent = 34
    pause_time_between_batches              = "PT10S"
  }

  automatic_instance_repair {
    enabled      = true
    grace_period = "PT10M"
  }

  lifecycle {
    ignore_changes = [instances]
  }
}

# Also where the number stays: it is what brings a changed one to the scale set.
resource "azurerm_monitor_autoscale_setting" "service" {
  name                = var.name
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  target_resource_id  = azurerm_linux_virtual_machine_scale_set.service.id
  tags                = merge(local.tags, { "fraiseql-address" = "azurerm_monitor_autoscale_setting.service" })

  profile {
    name = "cpu"

    capacity {
      minimum = var.instances
      default = var.instances
      maximum = max(var.instances, var.max_instances)
    }

    dynamic "rule" {
      for_each = { Increase = { operator = "GreaterThan", threshold = 60 }, Decrease = { operator = "LessThan", threshold = 30 } }
      content {
        metric_trigger {
          metric_name        = "Percentage CPU"
          metric_resource_id = azurerm_linux_virtual_machine_scale_set.service.id
          time_grain         = "PT1M"
          statistic          = "Average"
          time_window        = "PT5M"
          time_aggregation   = "Average"
          operator           = rule.value.operator
          threshold          = rule.value.threshold
        }
        scale_action {
          direction = rule.key
          type      = "ChangeCount"
          value     = "1"
          cooldown  = "PT5M"
        }
      }
    }
  }
}

resource "azurerm_public_ip" "balancer" {
  name                = "${var.name}-balancer"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  allocation_method   = "Static"
  sku                 = "Standard"
  zones               = local.zones
  domain_name_label   = "${var.name}-${local.unique}"
  tags                = merge(local.tags, { "fraiseql-address" = "azurerm_public_ip.balancer" })
}

resource "azurerm_application_gateway" "this" {
  name                = var.name
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  zones               = local.zones
  tags                = merge(local.tags, { "fraiseql-address" = "azurerm_application_gateway.this" })
  depends_on          = [terraform_data.rights]

  sku {
    name = "Standard_v2"
    tier = "Standard_v2"
  }

  autoscale_configuration {
    min_capacity = 2
    max_capacity = 10
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.balancer.id]
  }

  gateway_ip_configuration {
    name      = "balancer"
    subnet_id = azurerm_subnet.balancer.id
  }

  frontend_ip_configuration {
    name                 = "public"
    public_ip_address_id = azurerm_public_ip.balancer.id
  }

  frontend_port {
    name = "http"
    port = 80
  }

  frontend_port {
    name = "https"
    port = 443
  }

  backend_address_pool {
    name = "service"
  }

  backend_http_settings {
    name                  = "service"
    port                  = var.service.port
    protocol              = "Http"
    cookie_based_affinity = "Disabled"
    request_timeout       = 60
    probe_name            = "readiness"

    connection_draining {
      enabled           = true
      drain_timeout_sec = 30
    }
  }

  probe {
    name                = "readiness"
    protocol            = "Http"
    host                = "127.0.0.1"
    path                = var.service.readiness_path
    interval            = 5
    timeout             = 3
    unhealthy_threshold = 2
  }

  ssl_policy {
    policy_type = "Predefined"
    policy_name = "AppGwSslPolicy20220101"
  }

  dynamic "ssl_certificate" {
    for_each = local.tls ? [1] : []
    content {
      name                = "balancer"
      key_vault_secret_id = local.own_certificate ? azurerm_key_vault_certificate.this[0].versionless_secret_id : var.certificate
    }
  }

  http_listener {
    name                           = "http"
    frontend_ip_configuration_name = "public"
    frontend_port_name             = "http"
    protocol                       = "Http"
  }

  dynamic "http_listener" {
    for_each = local.tls ? [1] : []
    content {
      name                           = "https"
      frontend_ip_configuration_name = "public"
      frontend_port_name             = "https"
      protocol                       = "Https"
      ssl_certificate_name           = "balancer"
    }
  }

  dynamic "redirect_configuration" {
    for_each = local.tls ? [1] : []
    content {
      name                 = "https"
      redirect_type        = "Permanent"
      target_listener_name = "https"
      include_path         = true
      include_query_string = true
    }
  }

  request_routing_rule {
    name                        = "http"
    rule_type                   = "Basic"
    priority                    = 100
    http_listener_name          = "http"
    backend_address_pool_name   = local.tls ? null : "service"
    backend_http_settings_name  = local.tls ? null : "service"
    redirect_configuration_name = local.tls ? "https" : null
  }

  dynamic "request_routing_rule" {
    for_each = local.tls ? [1] : []
    content {
      name                       = "https"
      rule_type                  = "Basic"
      priority                   = 90
      http_listener_name         = "https"
      backend_address_pool_name  = "service"
      backend_http_settings_name = "service"
    }
  }
}
