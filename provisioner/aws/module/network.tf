resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = merge(local.tags, { Name = var.name, "fraiseql-address" = "aws_vpc.this" })
}

# Whoever forgets to name a group gets this one, which lets nothing through.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge(local.tags, { Name = "${var.name}-default", "fraiseql-address" = "aws_default_security_group.this" })
}

resource "aws_subnet" "public" {
  count             = length(local.zones)
  vpc_id            = aws_vpc.this.id
  cidr_block        = local.public_cidrs[count.index]
  availability_zone = local.zones[count.index]
  tags              = merge(local.tags, { Name = "${var.name}-public-${count.index}", "fraiseql-address" = "aws_subnet.public/${count.index}" })
}

resource "aws_subnet" "private" {
  count             = length(local.zones)
  vpc_id            = aws_vpc.this.id
  cidr_block        = local.private_cidrs[count.index]
  availability_zone = local.zones[count.index]
  tags              = merge(local.tags, { Name = "${var.name}-private-${count.index}", "fraiseql-address" = "aws_subnet.private/${count.index}" })
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge(local.tags, { Name = var.name, "fraiseql-address" = "aws_internet_gateway.this" })
}

resource "aws_eip" "nat" {
  domain     = "vpc"
  tags       = merge(local.tags, { Name = "${var.name}-nat", "fraiseql-address" = "aws_eip.nat" })
  depends_on = [aws_internet_gateway.this]
}

# One for the region: instances reach out for images and secrets only, so losing its zone stops no request.
resource "aws_nat_gateway" "this" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.public[0].id
  tags          = merge(local.tags, { Name = var.name, "fraiseql-address" = "aws_nat_gateway.this" })
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
  tags   = merge(local.tags, { Name = "${var.name}-public", "fraiseql-address" = "aws_route_table.public" })

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this.id
  }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id
  tags   = merge(local.tags, { Name = "${var.name}-private", "fraiseql-address" = "aws_route_table.private" })

  route {
    cidr_block     = "0.0.0.0/0"
    nat_gateway_id = aws_nat_gateway.this.id
  }
}

resource "aws_route_table_association" "public" {
  count          = length(local.zones)
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table_association" "private" {
  count          = length(local.zones)
  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private.id
}

resource "aws_security_group" "balancer" {
  name        = "${var.name}-balancer"
  description = "Load balancer: from anywhere"
  vpc_id      = aws_vpc.this.id
  tags        = merge(local.tags, { Name = "${var.name}-balancer", "fraiseql-address" = "aws_security_group.balancer" })
}

resource "aws_security_group" "service" {
  name        = "${var.name}-service"
  description = "Service: from the load balancer"
  vpc_id      = aws_vpc.this.id
  tags        = merge(local.tags, { Name = "${var.name}-service", "fraiseql-address" = "aws_security_group.service" })
}

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "Database: from the service and the gateway"
  vpc_id      = aws_vpc.this.id
  tags        = merge(local.tags, { Name = "${var.name}-database", "fraiseql-address" = "aws_security_group.database" })
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  for_each          = local.tls ? { http = 80, https = 443 } : { http = 80 }
  security_group_id = aws_security_group.balancer.id
  description       = "Clients"
  cidr_ipv4         = "0.0.0.0/0"
  from_port         = each.value
  to_port           = each.value
  ip_protocol       = "tcp"
  tags              = merge(local.tags, { "fraiseql-address" = "aws_vpc_security_group_ingress_rule.balancer/${each.key}" })
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  security_group_id            = aws_security_group.balancer.id
  description                  = "To the service"
  referenced_security_group_id = aws_security_group.service.id
  from_port                    = var.service.port
  to_port                      = var.service.port
  ip_protocol                  = "tcp"
  tags                         = merge(local.tags, { "fraiseql-address" = "aws_vpc_security_group_egress_rule.balancer" })
}

resource "aws_vpc_security_group_ingress_rule" "service" {
  security_group_id            = aws_security_group.service.id
  description                  = "From the load balancer"
  referenced_security_group_id = aws_security_group.balancer.id
  from_port                    = var.service.port
  to_port                      = var.service.port
  ip_protocol                  = "tcp"
  tags                         = merge(local.tags, { "fraiseql-address" = "aws_vpc_security_group_ingress_rule.service" })
}

locals {
  # A port that the endpoint of traces names and that is none of the usual ones.
  otlp_port      = try(tonumber(regex("^[a-z]+://(?:[^/@]*@)?[^/:@]+:([0-9]+)", var.service.otlp_endpoint)[0]), startswith(var.service.otlp_endpoint, "http://") ? 80 : 443)
  otlp_elsewhere = contains([443, 4317, 4318, 5432], local.otlp_port) ? {} : { otlp = local.otlp_port }
}

# Images, secrets and telemetry are at addresses that nobody can list.
resource "aws_vpc_security_group_egress_rule" "service" {
  for_each          = merge({ https = 443, otlp-grpc = 4317, otlp-http = 4318, postgresql = 5432 }, local.otlp_elsewhere)
  security_group_id = aws_security_group.service.id
  description       = "Service, ${each.key}"
  cidr_ipv4         = each.key == "postgresql" ? var.cidr : "0.0.0.0/0"
  from_port         = each.value
  to_port           = each.value
  ip_protocol       = "tcp"
  tags              = merge(local.tags, { "fraiseql-address" = "aws_vpc_security_group_egress_rule.service/${each.key}" })
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id            = aws_security_group.database.id
  description                  = "From the service"
  referenced_security_group_id = aws_security_group.service.id
  from_port                    = 5432
  to_port                      = 5432
  ip_protocol                  = "tcp"
  tags                         = merge(local.tags, { "fraiseql-address" = "aws_vpc_security_group_ingress_rule.database" })
}

resource "aws_cloudwatch_log_group" "flow" {
  name              = "/fraiseql/${var.name}/flow"
  retention_in_days = local.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
  tags              = merge(local.tags, { "fraiseql-address" = "aws_cloudwatch_log_group.flow" })
}

resource "aws_flow_log" "this" {
  vpc_id               = aws_vpc.this.id
  traffic_type         = "ALL"
  log_destination_type = "cloud-watch-logs"
  log_destination      = aws_cloudwatch_log_group.flow.arn
  iam_role_arn         = aws_iam_role.flow.arn
  tags                 = merge(local.tags, { Name = var.name, "fraiseql-address" = "aws_flow_log.this" })
}
