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
  iam_instance_profile   = aws_iam_instance_profile.gateway[0].name
  user_data = templatefile("${path.module}/gateway.sh.tftpl", {
    host    = aws_db_instance.this.address
    port    = aws_db_instance.this.port
    program = var.gateway_program
    store   = file("${path.module}/gateway_store.py")
    settings = {
      host        = aws_db_instance.this.address
      port        = aws_db_instance.this.port
      database    = aws_db_instance.this.db_name
      sslmode     = "verify-full"
      sslrootcert = "/etc/fraiseql/database-ca.pem"
      location    = var.location
      secret      = aws_db_instance.this.master_user_secret[0].secret_arn
      document    = local.replication_document
      password    = aws_secretsmanager_secret.replication[0].arn
      report      = aws_ssm_parameter.replication_state[0].name
    }
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

# The database reaches its peers through the gateway, by a port each.
resource "aws_vpc_security_group_egress_rule" "database_gateway" {
  count                        = var.links == "tls" ? 1 : 0
  security_group_id            = aws_security_group.database.id
  description                  = "To the peers, through the gateway"
  referenced_security_group_id = aws_security_group.gateway[0].id
  from_port                    = 15432
  to_port                      = 15687
  ip_protocol                  = "tcp"
  tags                         = merge(local.tags, { "fraiseql-address" = "aws_vpc_security_group_egress_rule.database_gateway/0" })
}

resource "aws_vpc_security_group_ingress_rule" "gateway_database" {
  count                        = var.links == "tls" ? 1 : 0
  security_group_id            = aws_security_group.gateway[0].id
  description                  = "From the database, to the peers"
  referenced_security_group_id = aws_security_group.database.id
  from_port                    = 15432
  to_port                      = 15687
  ip_protocol                  = "tcp"
  tags                         = merge(local.tags, { "fraiseql-address" = "aws_vpc_security_group_ingress_rule.gateway_database/0" })
}

locals {
  replication_document = "/fraiseql/${var.name}/replication"
}

# The global root puts a value into it, alike in all regions: of the role that fetches rows.
resource "aws_secretsmanager_secret" "replication" {
  count                   = var.links == "tls" ? 1 : 0
  name                    = "${var.name}/replication"
  description             = "Password of the role fraiseql_replication, alike in all regions"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 0 # it is made anew, and its name is free for the next deploy
  tags                    = merge(local.tags, { "fraiseql-address" = "aws_secretsmanager_secret.replication/0" })
}

# Written by the gateway.
resource "aws_ssm_parameter" "replication_state" {
  count       = var.links == "tls" ? 1 : 0
  name        = "${local.replication_document}-state"
  description = "How replication stands, as the gateway sees it"
  type        = "String"
  value       = "{}"
  tags        = merge(local.tags, { "fraiseql-address" = "aws_ssm_parameter.replication_state/0" })

  lifecycle {
    ignore_changes = [value]
  }
}

data "aws_iam_policy_document" "gateway" {
  count = var.links == "tls" ? 1 : 0

  statement {
    sid       = "ReadSecrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_db_instance.this.master_user_secret[0].secret_arn, aws_secretsmanager_secret.replication[0].arn]
  }

  statement {
    sid       = "Decrypt"
    actions   = ["kms:Decrypt"]
    resources = local.key_arns
  }

  statement {
    sid       = "ReadDocument"
    actions   = ["ssm:GetParameter"]
    resources = ["arn:${data.aws_partition.current.partition}:ssm:${var.location}:${data.aws_caller_identity.current.account_id}:parameter${local.replication_document}"]
  }

  statement {
    sid       = "Report"
    actions   = ["ssm:PutParameter"]
    resources = [aws_ssm_parameter.replication_state[0].arn]
  }
}

resource "aws_iam_role" "gateway" {
  count              = var.links == "tls" ? 1 : 0
  name               = "${var.name}-gateway"
  assume_role_policy = data.aws_iam_policy_document.assume_ec2.json
  tags               = merge(local.tags, { "fraiseql-address" = "aws_iam_role.gateway/0" })
}

resource "aws_iam_role_policy" "gateway" {
  count  = var.links == "tls" ? 1 : 0
  name   = "gateway"
  role   = aws_iam_role.gateway[0].id
  policy = data.aws_iam_policy_document.gateway[0].json
}

resource "aws_iam_instance_profile" "gateway" {
  count = var.links == "tls" ? 1 : 0
  name  = "${var.name}-gateway"
  role  = aws_iam_role.gateway[0].name
  tags  = merge(local.tags, { "fraiseql-address" = "aws_iam_instance_profile.gateway/0" })
}
