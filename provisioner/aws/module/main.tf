data "aws_availability_zones" "available" {
  state = "available"

  # Local and Wavelength Zones that the account opted in to have no load balancers and databases.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  zones = slice(data.aws_availability_zones.available.names, 0, min(var.zones, length(data.aws_availability_zones.available.names)))

  tags = merge(var.labels, {
    "fraiseql-deployment"    = var.deployment
    "fraiseql-deployment-id" = var.deployment_id
    "fraiseql-region"        = var.region
    "environment"            = var.environment
  })

  # Public subnets take the first half of the range, private ones the second.
  public_cidrs  = [for i in range(length(local.zones)) : cidrsubnet(var.cidr, 4, i)]
  private_cidrs = [for i in range(length(local.zones)) : cidrsubnet(var.cidr, 4, 8 + i)]

  names           = var.domain == "" ? [] : ["${var.region}.${var.domain}", var.domain]
  own_certificate = var.certificate == "" && var.dns_zone != "" && var.domain != ""
  tls             = var.certificate != "" || local.own_certificate

  # CloudWatch takes these numbers of days only.
  retention_steps    = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
  log_retention_days = [for days in local.retention_steps : days if days >= min(var.log_retention_days, 3653)][0]
}
