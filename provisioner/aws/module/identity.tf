data "aws_iam_policy_document" "assume_ec2" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "assume_flow" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "key" {
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  statement {
    sid       = "Logs"
    actions   = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["logs.${var.location}.amazonaws.com"]
    }
  }
}

# The service: its own secrets and its own log group, nothing else.
data "aws_iam_policy_document" "service" {
  statement {
    sid       = "ReadSecrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = concat([aws_db_instance.this.master_user_secret[0].secret_arn, aws_secretsmanager_secret.metrics_token.arn], local.secret_arns)
  }

  # The first instance makes the token: put-if-absent, so that it is never in a plan or a state.
  statement {
    sid       = "MakeMetricsToken"
    actions   = ["secretsmanager:PutSecretValue"]
    resources = [aws_secretsmanager_secret.metrics_token.arn]
  }

  statement {
    sid       = "Decrypt"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = local.key_arns
  }

  # The user's secrets may be under other keys: those may be used for these secrets, and through Secrets Manager only.
  dynamic "statement" {
    for_each = length(local.secret_arns) > 0 ? [1] : []
    content {
      sid       = "DecryptSecrets"
      actions   = ["kms:Decrypt"]
      resources = ["*"]
      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["secretsmanager.${var.location}.${data.aws_partition.current.dns_suffix}"]
      }
      condition {
        test     = "StringLike"
        variable = "kms:EncryptionContext:SecretARN"
        values   = local.secret_arns
      }
    }
  }

  dynamic "statement" {
    for_each = startswith(var.service.schema, "s3://") ? [1] : []
    content {
      sid       = "ReadSchema"
      actions   = ["s3:GetObject"]
      resources = ["arn:${data.aws_partition.current.partition}:s3:::${trimprefix(var.service.schema, "s3://")}"]
    }
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.service.arn}:*"]
  }
}

locals {
  # Under which the secrets of the region lie. The account's own key for Secrets Manager wants no permission.
  key_arns = compact([aws_kms_key.this.arn, var.database.encryption_key])

  secret_arns = [for name in values(var.service.secret_environment) :
    startswith(name, "arn:") ? name : "arn:${data.aws_partition.current.partition}:secretsmanager:${var.location}:${data.aws_caller_identity.current.account_id}:secret:${name}-??????"
  ]
}

resource "aws_iam_role" "service" {
  name               = "${var.name}-service"
  assume_role_policy = data.aws_iam_policy_document.assume_ec2.json
  tags               = merge(local.tags, { "fraiseql-address" = "aws_iam_role.service" })
}

resource "aws_iam_role_policy" "service" {
  name   = "service"
  role   = aws_iam_role.service.id
  policy = data.aws_iam_policy_document.service.json
}

resource "aws_iam_instance_profile" "service" {
  name = "${var.name}-service"
  role = aws_iam_role.service.name
  tags = merge(local.tags, { "fraiseql-address" = "aws_iam_instance_profile.service" })
}

resource "aws_iam_role" "flow" {
  name               = "${var.name}-flow"
  assume_role_policy = data.aws_iam_policy_document.assume_flow.json
  tags               = merge(local.tags, { "fraiseql-address" = "aws_iam_role.flow" })
}

resource "aws_iam_role_policy" "flow" {
  name = "flow"
  role = aws_iam_role.flow.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
      Resource = "${aws_cloudwatch_log_group.flow.arn}:*"
    }]
  })
}

# What the collector needs to read metrics: for whoever runs it, in this account or by assuming the role.
resource "aws_iam_role" "monitoring" {
  name = "${var.name}-monitoring"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
    }]
  })
  tags = merge(local.tags, { "fraiseql-address" = "aws_iam_role.monitoring" })
}

resource "aws_iam_role_policy" "monitoring" {
  name = "monitoring"
  role = aws_iam_role.monitoring.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Metrics"
        Effect = "Allow"
        Action = [
          "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "cloudwatch:ListMetrics", "tag:GetResources",
          "ec2:DescribeInstances", "ec2:DescribeNatGateways", "rds:DescribeDBInstances", "rds:DescribeEvents",
          "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeTargetGroups",
          "elasticloadbalancing:DescribeTargetHealth", "autoscaling:DescribeAutoScalingGroups",
        ]
        Resource = "*"
      },
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:FilterLogEvents", "logs:GetLogEvents", "logs:DescribeLogStreams"]
        Resource = "${aws_cloudwatch_log_group.service.arn}:*"
      },
      {
        Sid      = "Token"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = aws_secretsmanager_secret.metrics_token.arn
      },
      {
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = aws_kms_key.this.arn
      },
    ]
  })
}

resource "aws_secretsmanager_secret" "metrics_token" {
  name                    = "${var.name}/metrics-token"
  description             = "Bearer token of the service's metrics page; made by its first instance"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 0 # nothing to recover: it is made anew, and its name is free for the next deploy
  tags                    = merge(local.tags, { "fraiseql-address" = "aws_secretsmanager_secret.metrics_token" })
}
