data "azurerm_client_config" "current" {}

locals {
  # Vaults, servers and host names share one space with everybody else's: they end with a mark that is this deployment's, and
  # the same in every run, so that one that was cut off is found again.
  unique = substr(sha256("${var.deployment_id}/${var.region}"), 0, 6)

  password_version = var.password_version == "" ? 1 : tonumber(var.password_version)

  zones = [for i in range(min(var.zones, 3)) : tostring(i + 1)]

  tags = merge(var.labels, {
    "fraiseql-deployment"    = var.deployment
    "fraiseql-deployment-id" = var.deployment_id
    "fraiseql-region"        = var.region
    "environment"            = var.environment
  })

  names           = var.domain == "" ? [] : ["${var.region}.${var.domain}", var.domain]
  own_certificate = var.certificate == "" && var.domain != ""
  address         = azurerm_public_ip.balancer.ip_address == null ? "" : azurerm_public_ip.balancer.ip_address
  tls             = var.certificate != "" || var.domain != ""
}

resource "azurerm_resource_group" "this" {
  name     = var.name
  location = var.location
  tags     = merge(local.tags, { "fraiseql-address" = "azurerm_resource_group.this" })
}
