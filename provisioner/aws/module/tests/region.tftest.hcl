# Without a cloud: what the plan says for the arguments that a region can have.
mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"] }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_ec2_instance_type" {
    defaults = { supported_architectures = ["x86_64"] }
  }
  mock_data "aws_ssm_parameter" {
    defaults = { value = "ami-0123456789abcdef0" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/x" }
  }
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/x" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:x" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/0", dns_name = "x.elb.amazonaws.com", zone_id = "Z1" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/0" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-000000" }
  }
  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/0" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:us-east-1:123456789012:certificate/0"
      domain_validation_options = [
        { domain_name = "us-east.example.com", resource_record_name = "_a.us-east.example.com", resource_record_type = "CNAME", resource_record_value = "_b.acm-validations.aws" },
        { domain_name = "example.com", resource_record_name = "_a.example.com", resource_record_type = "CNAME", resource_record_value = "_c.acm-validations.aws" },
      ]
    }
  }
  mock_resource "aws_db_instance" {
    defaults = {
      address            = "db.internal"
      port               = 5432
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds-000000", kms_key_id = "k", secret_status = "active" }]
    }
  }
}

variables {
  name          = "fraiseql-us-east"
  deployment    = "fraiseql"
  deployment_id = "0198c1de-0000-7000-8000-000000000001"
  region        = "us-east"
  environment   = "production"
  location      = "us-east-1"
  cidr          = "10.0.0.0/16"
  instance_type = "t3.2xlarge"
  instances     = 3
  max_instances = 6
  labels        = { team = "SRE", odd = "q\"uote" }
  service = {
    image              = "ghcr.io/fraiseql/server:2.19.0"
    port               = 8000
    schema             = "s3://bucket/schema.compiled.json"
    health_path        = "/health"
    readiness_path     = "/readiness"
    metrics_path       = "/metrics"
    log_level          = "info"
    otlp_endpoint      = "http://collector:4318"
    environment        = { A = "b" }
    secret_environment = { X = "some/secret" }
  }
  database = {
    engine              = "postgresql"
    version             = 16
    class               = "db.t3.xlarge"
    storage_gb          = 100
    max_storage_gb      = 500
    high_availability   = true
    deletion_protection = true
    public_access       = false
    backup_days         = 14
    backup_window       = "02:00-03:00"
    geo_redundant       = false
    backup_location     = ""
    encryption_key      = ""
    logical_replication = true
    parameters          = { max_replication_slots = "10", wal_level = "logical" }
  }
}

run "plain" {
  command = apply

  assert {
    condition     = output.url == "http://x.elb.amazonaws.com" && output.gateway_address == "" && length(aws_lb_listener.https) == 0
    error_message = "Without a certificate the region answers by HTTP, and without links it has no gateway."
  }
  assert {
    condition     = length(aws_subnet.public) == 3 && length(aws_subnet.private) == 3 && length(distinct(concat(aws_subnet.public[*].cidr_block, aws_subnet.private[*].cidr_block))) == 6
    error_message = "Six subnets that do not overlap, three zones."
  }
  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible && aws_db_instance.this.multi_az && aws_db_instance.this.deletion_protection && aws_db_instance.this.manage_master_user_password
    error_message = "The database is encrypted, private, highly available and protected, and its password is in no state."
  }
  assert {
    condition     = { for p in aws_db_parameter_group.this.parameter : p.name => p.apply_method }["rds.logical_replication"] == "pending-reboot" && !contains([for p in aws_db_parameter_group.this.parameter : p.name], "wal_level")
    error_message = "Replication is asked for in RDS's words, and takes a restart."
  }
  assert {
    condition     = aws_vpc.this.tags["fraiseql-address"] == "aws_vpc.this" && aws_subnet.private[2].tags["fraiseql-address"] == "aws_subnet.private/2" && aws_vpc.this.tags["fraiseql-deployment-id"] == var.deployment_id && aws_vpc.this.tags["odd"] == "q\"uote"
    error_message = "Every resource says whose it is and where it belongs."
  }
  assert {
    condition     = strcontains(base64decode(aws_launch_template.service.user_data), "ghcr.io/fraiseql/server:2.19.0") && aws_launch_template.service.metadata_options[0].http_tokens == "required"
    error_message = "The instances run the image and take no old metadata requests."
  }
  assert {
    condition     = aws_lb_target_group.service.name == "fraiseql-us-east-${substr(sha256("HTTP:8000"), 0, 6)}"
    error_message = "The target group's name is made of what cannot be changed in it."
  }
  assert {
    condition     = jsonencode({ for rule in one([for statement in data.aws_iam_policy_document.service.statement : statement if statement.sid == "DecryptSecrets"]).condition : rule.variable => rule.values }) == jsonencode({ "kms:EncryptionContext:SecretARN" = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:some/secret-??????"], "kms:ViaService" = ["secretsmanager.us-east-1.amazonaws.com"] })
    error_message = "Secrets under keys of the user's can be read, and nothing else of those keys."
  }
  assert {
    condition     = length(local.user_key == null ? [] : [1]) == 0 && aws_cloudwatch_log_group.database["postgresql"].kms_key_id == aws_kms_key.this.arn
    error_message = "The region's own key, which goes with the region, is none of the database's: snapshots outlive it."
  }
  assert {
    condition     = !contains(keys(aws_vpc_security_group_egress_rule.service), "otlp") && one(data.aws_availability_zones.available.filter).values == toset(["opt-in-not-required"])
    error_message = "The usual ports for traces are open, and zones that one must opt in to are not taken."
  }
  assert {
    condition     = aws_lb_target_group.service.health_check[0].path == "/readiness"
    error_message = "Readiness decides who gets requests."
  }
}

run "another_port" {
  command = apply

  variables {
    service = { image = "i", port = 9000, schema = "/s.json", health_path = "/h", readiness_path = "/r", metrics_path = "/m", log_level = "info", otlp_endpoint = "http://collector:14318/v1/traces", environment = {}, secret_environment = {} }
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.service["otlp"].to_port == 14318
    error_message = "Traces get out by the port that their endpoint names."
  }
  assert {
    condition     = aws_lb_target_group.service.name != "fraiseql-us-east-${substr(sha256("HTTP:8000"), 0, 6)}" && length(aws_lb_target_group.service.name) <= 32
    error_message = "A group that must be made anew has a name of its own, so that both can be there at once."
  }
  assert {
    condition     = length([for statement in data.aws_iam_policy_document.service.statement : statement if statement.sid == "DecryptSecrets"]) == 0
    error_message = "No right to other keys where no secret asks for it."
  }
}

run "certificate_of_its_own_and_links" {
  command = apply

  variables {
    domain   = "example.com"
    dns_zone = "Z0123456789"
    links    = "tls"
  }

  assert {
    condition     = output.url == "https://us-east.example.com" && aws_lb_listener.https[0].ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06" && aws_lb_listener.http.default_action[0].type == "redirect"
    error_message = "HTTPS with TLS 1.2 or later; HTTP leads there."
  }
  assert {
    condition     = length(aws_instance.gateway) == 1 && output.gateway_rule_target == aws_security_group.gateway[0].id
    error_message = "One gateway, which the global root opens."
  }
}

run "small_class_without_insights" {
  command = plan

  variables {
    database = {
      engine              = "postgresql"
      version             = 15
      class               = "db.t3.micro"
      storage_gb          = 20
      max_storage_gb      = 20
      high_availability   = false
      deletion_protection = false
      public_access       = false
      backup_days         = 7
      backup_window       = "02:00-03:00"
      geo_redundant       = false
      backup_location     = ""
      encryption_key      = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"
      logical_replication = false
      parameters          = {}
    }
  }

  assert {
    condition     = aws_db_instance.this.performance_insights_enabled == false && aws_db_instance.this.kms_key_id == var.database.encryption_key && aws_db_instance.this.master_user_secret_kms_key_id == var.database.encryption_key
    error_message = "db.t3.micro has no Performance Insights; a given key is used."
  }
}

run "range_too_small" {
  command = plan

  variables {
    cidr = "10.0.0.0/24"
  }

  expect_failures = [var.cidr]
}
