# Lets the other regions' gateways, and nobody else, reach the database through this region's gateway.
locals {
  peers = var.target == "" ? {} : { for name, address in var.peers : name => address if address != "" }
}

resource "aws_vpc_security_group_ingress_rule" "peer" {
  for_each          = local.peers
  security_group_id = var.target
  description       = "PostgreSQL from region ${each.key}"
  cidr_ipv4         = "${each.value}/32"
  ip_protocol       = "tcp"
  from_port         = var.port
  to_port           = var.port
  tags = {
    Name                     = "${var.name}-from-${each.key}"
    "fraiseql-deployment-id" = var.deployment_id
    "fraiseql-region"        = var.region
    "fraiseql-address"       = "aws_vpc_security_group_ingress_rule.peer[\"${each.key}\"]"
  }
}

output "opened_for" {
  description = "Regions that may connect."
  value       = keys(local.peers)
}
