# Forwards PostgreSQL, with PostgreSQL's own TLS end to end, to the private database. Who may connect is opened by the
# global root, which knows the other regions' addresses.
resource "aws_security_group" "gateway" {
  count       = var.links == "tls" ? 1 : 0
  name        = "${var.name}-gateway"
  description = "Gateway: from the gateways of the other regions"
  vpc_id      = aws_vpc.this.id
  tags        = merge(local.tags, { Name = "${var.name}-gateway", "fraiseql-address" = "aws_security_group.gateway/0" })
}

resource "aws_vpc_security_group_egress_rule" "gateway" {
  for_each          = var.links == "tls" ? { https = 443, postgresql = 5432 } : {}
  security_group_id = aws_security_group.gateway[0].id
  description       = "Gateway, ${each.key}"
  cidr_ipv4         = "0.0.0.0/0"
  from_port         = each.value
  to_port           = each.value
  ip_protocol       = "tcp"
  tags              = merge(local.tags, { "fraiseql-address" = "aws_vpc_security_group_egress_rule.gateway/${each.key}" })
}

resource "aws_vpc_security_group_ingress_rule" "database_gateway" {
  count                        = var.links == "tls" ? 1 : 0
  security_group_id            = aws_security_group.database.id
  description                  = "From the gateway"
  referenced_security_group_id = aws_security_group.gateway[0].id
  from_port                    = 5432
  to_port                      = 5432
  ip_protocol                  = "tcp"
  tags                         = merge(local.tags, { "fraiseql-address" = "aws_vpc_security_group_ingress_rule.database_gateway/0" })
}

data "aws_ssm_parameter" "gateway_image" {
  count = var.links == "tls" ? 1 : 0
  name  = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
}

resource "aws_instance" "gateway" {
  count                  = var.links == "tls" ? 1 : 0
  ami                    = nonsensitive(data.aws_ssm_parameter.gateway_image[0].value)
  instance_type          = "t4g.small"
  subnet_id              = aws_subnet.public[0].id
  vpc_security_group_ids = [aws_security_group.gateway[0].id]
  source_dest_check      = true
  user_data = templatefile("${path.module}/gateway.sh.tftpl", {
    host = aws_db_instance.this.address
    port = aws_db_instance.this.port
  })
  user_data_replace_on_change = true
  tags                        = merge(local.tags, { Name = "${var.name}-gateway", "fraiseql-address" = "aws_instance.gateway/0" })

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = 8
    encrypted   = true
  }

  lifecycle {
    ignore_changes = [ami]
  }
}

resource "aws_eip" "gateway" {
  count      = var.links == "tls" ? 1 : 0
  domain     = "vpc"
  instance   = aws_instance.gateway[0].id
  tags       = merge(local.tags, { Name = "${var.name}-gateway", "fraiseql-address" = "aws_eip.gateway/0" })
  depends_on = [aws_internet_gateway.this]
}
