data "aws_ec2_instance_type" "service" {
  instance_type = var.instance_type
}

locals {
  architecture = contains(data.aws_ec2_instance_type.service.supported_architectures, "arm64") ? "arm64" : "x86_64"
}

data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${local.architecture}"
}

resource "aws_cloudwatch_log_group" "service" {
  name              = "/fraiseql/${var.name}/service"
  retention_in_days = local.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
  tags              = merge(local.tags, { "fraiseql-address" = "aws_cloudwatch_log_group.service" })
}

resource "aws_launch_template" "service" {
  name                   = "${var.name}-service"
  image_id               = nonsensitive(data.aws_ssm_parameter.image.value)
  instance_type          = var.instance_type
  update_default_version = true
  vpc_security_group_ids = [aws_security_group.service.id]
  tags                   = merge(local.tags, { "fraiseql-address" = "aws_launch_template.service" })

  user_data = base64encode(templatefile("${path.module}/service.sh.tftpl", {
    location    = var.location
    log_group   = aws_cloudwatch_log_group.service.name
    secret      = aws_db_instance.this.master_user_secret[0].secret_arn
    token       = aws_secretsmanager_secret.metrics_token.arn
    host        = aws_db_instance.this.address
    port        = aws_db_instance.this.port
    database    = aws_db_instance.this.db_name
    service     = var.service
    environment = local.environment
  }))

  iam_instance_profile {
    arn = aws_iam_instance_profile.service.arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_type           = "gp3"
      volume_size           = 20
      encrypted             = true
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge(local.tags, { Name = "${var.name}-service" })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(local.tags, { Name = "${var.name}-service" })
  }
}

locals {
  # The user's own variables come last and win.
  environment = merge({
    FRAISEQL_BIND_ADDR       = "0.0.0.0:${var.service.port}"
    FRAISEQL_SCHEMA_PATH     = "/srv/fraiseql/schema.compiled.json"
    FRAISEQL_METRICS_ENABLED = "true"
    FRAISEQL_LOG_FORMAT      = "json"
    FRAISEQL_ENV             = var.environment
    RUST_LOG                 = var.service.log_level
    OTEL_RESOURCE_ATTRIBUTES = "cloud.provider=aws,cloud.region=${var.location},region=${var.region},deployment.environment=${var.environment}"
    FRAISEQL_NODE_INDEX      = tostring(var.node.index)
    FRAISEQL_NODE_COUNT      = tostring(var.node.count)
    },
    var.service.otlp_endpoint == "" ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT = "${trimsuffix(trimsuffix(var.service.otlp_endpoint, "/"), "/v1/traces")}/v1/traces" },
    var.service.environment,
  )
}

resource "aws_autoscaling_group" "service" {
  name                      = "${var.name}-service"
  min_size                  = var.instances
  max_size                  = max(var.instances, var.max_instances)
  vpc_zone_identifier       = aws_subnet.private[*].id
  target_group_arns         = [aws_lb_target_group.service.arn]
  health_check_type         = "ELB"
  health_check_grace_period = 300
  default_instance_warmup   = 60
  wait_for_capacity_timeout = "0" # whether the region answers is asked from outside, through the load balancer
  # The first boot fetches packages and secrets: the way out and the permission come first.
  depends_on      = [aws_route_table_association.private, aws_iam_role_policy.service]
  enabled_metrics = ["GroupInServiceInstances", "GroupDesiredCapacity", "GroupTotalInstances"]

  launch_template {
    id      = aws_launch_template.service.id
    version = aws_launch_template.service.latest_version
  }

  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage = 90
      max_healthy_percentage = 120
      auto_rollback          = true
    }
  }

  dynamic "tag" {
    for_each = merge(local.tags, { Name = "${var.name}-service", "fraiseql-address" = "aws_autoscaling_group.service" })
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false
    }
  }

  lifecycle {
    ignore_changes = [desired_capacity]
  }
}

resource "aws_autoscaling_policy" "cpu" {
  count                  = var.max_instances > var.instances ? 1 : 0
  name                   = "${var.name}-cpu"
  autoscaling_group_name = aws_autoscaling_group.service.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = 60
    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

resource "aws_lb" "this" {
  name                       = var.name
  load_balancer_type         = "application"
  subnets                    = aws_subnet.public[*].id
  security_groups            = [aws_security_group.balancer.id]
  drop_invalid_header_fields = true
  idle_timeout               = 60
  tags                       = merge(local.tags, { Name = var.name, "fraiseql-address" = "aws_lb.this" })
}

resource "aws_lb_target_group" "service" {
  # Neither can be changed: another port is another group, which has another name, and is there before the first one goes.
  name                 = "${var.name}-${substr(sha256("HTTP:${var.service.port}"), 0, 6)}"
  port                 = var.service.port
  protocol             = "HTTP"
  vpc_id               = aws_vpc.this.id
  deregistration_delay = 30
  slow_start           = 30
  tags                 = merge(local.tags, { Name = var.name, "fraiseql-address" = "aws_lb_target_group.service" })

  health_check {
    path                = var.service.readiness_path
    interval            = 5
    timeout             = 3
    healthy_threshold   = 2
    unhealthy_threshold = 2
    matcher             = "200"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate" "this" {
  count                     = local.own_certificate ? 1 : 0
  domain_name               = local.names[0]
  subject_alternative_names = [local.names[1]]
  validation_method         = "DNS"
  tags                      = merge(local.tags, { Name = var.name, "fraiseql-address" = "aws_acm_certificate.this/0" })

  lifecycle {
    create_before_destroy = true
  }
}

# In one account, ACM wants the same record of the common name for every region's certificate. Each region therefore writes it,
# whoever wrote it before. One that is destroyed takes it along, and the next deploy of another puts it back: certificates in
# use need it at their renewal only, sixty days before they end.
resource "aws_route53_record" "validation" {
  for_each        = local.own_certificate ? toset(local.names) : toset([])
  zone_id         = var.dns_zone
  name            = one([for option in aws_acm_certificate.this[0].domain_validation_options : option.resource_record_name if option.domain_name == each.key])
  type            = one([for option in aws_acm_certificate.this[0].domain_validation_options : option.resource_record_type if option.domain_name == each.key])
  records         = [one([for option in aws_acm_certificate.this[0].domain_validation_options : option.resource_record_value if option.domain_name == each.key])]
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  count                   = local.own_certificate ? 1 : 0
  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_lb_listener" "https" {
  count             = local.tls ? 1 : 0
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = local.own_certificate ? aws_acm_certificate_validation.this[0].certificate_arn : var.certificate
  tags              = merge(local.tags, { "fraiseql-address" = "aws_lb_listener.https/0" })

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.service.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"
  tags              = merge(local.tags, { "fraiseql-address" = "aws_lb_listener.http" })

  dynamic "default_action" {
    for_each = local.tls ? [1] : []
    content {
      type = "redirect"
      redirect {
        port        = "443"
        protocol    = "HTTPS"
        status_code = "HTTP_301"
      }
    }
  }

  dynamic "default_action" {
    for_each = local.tls ? [] : [1]
    content {
      type             = "forward"
      target_group_arn = aws_lb_target_group.service.arn
    }
  }
}
