locals {
  # null: the account's own keys for RDS and Secrets Manager, which nobody can remove.
  user_key = var.database.encryption_key == "" ? null : var.database.encryption_key

  # What RDS calls otherwise, or insists on.
  cloud_parameters = merge(
    { "rds.force_ssl" = "1", "shared_preload_libraries" = var.audit_log ? "pg_stat_statements,pgaudit" : "pg_stat_statements" },
    var.database.logical_replication ? { "rds.logical_replication" = "1" } : {},
    var.audit_log ? { "pgaudit.log" = "ddl,role,write", "log_connections" = "1", "log_disconnections" = "1" } : {},
  )
  parameters = merge({ for name, value in var.database.parameters : name => value if name != "wal_level" }, local.cloud_parameters)

  # The server must start anew before these hold; the others hold at once.
  static_parameters = [
    "rds.logical_replication", "shared_preload_libraries", "max_replication_slots", "max_wal_senders",
    "max_worker_processes", "max_logical_replication_workers", "max_active_replication_origins", "track_commit_timestamp",
    "max_connections", "shared_buffers", "max_prepared_transactions", "huge_pages", "wal_buffers", "max_locks_per_transaction",
    "max_pred_locks_per_transaction", "autovacuum_max_workers", "autovacuum_freeze_max_age",
    "autovacuum_multixact_freeze_max_age", "track_activity_query_size", "pg_stat_statements.max",
  ]
  insights = !can(regex("^db\\.t[34]g?\\.(micro|small)$", var.database.class))
}

# Of logs and of the secrets made here. Not of the database: this key goes when the region goes, and would take the final
# snapshot and the backups that stay along. Nor is the user's key the logs': its policy need not let CloudWatch use it.
resource "aws_kms_key" "this" {
  description             = "fraiseql ${var.deployment} ${var.region}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
  tags                    = merge(local.tags, { Name = var.name, "fraiseql-address" = "aws_kms_key.this" })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "fraiseql ${var.deployment} ${var.region}"
  subnet_ids  = var.database.public_access ? aws_subnet.public[*].id : aws_subnet.private[*].id
  tags        = merge(local.tags, { Name = var.name, "fraiseql-address" = "aws_db_subnet_group.this" })
}

resource "aws_db_parameter_group" "this" {
  name        = "${var.name}-pg${var.database.version}"
  family      = "postgres${var.database.version}"
  description = "fraiseql ${var.deployment} ${var.region}"
  tags        = merge(local.tags, { Name = var.name, "fraiseql-address" = "aws_db_parameter_group.this" })

  dynamic "parameter" {
    for_each = local.parameters
    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = contains(local.static_parameters, parameter.key) ? "pending-reboot" : "immediate"
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "database" {
  for_each          = toset(["postgresql", "upgrade"])
  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = local.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
  tags              = merge(local.tags, { "fraiseql-address" = "aws_cloudwatch_log_group.database/${each.key}" })
}

# Its certificate is of the authority that is RDS' default, rds-ca-rsa2048-g1. Named here, the provider would set it by a change
# after the creation, which takes as long as the creation's end once more.
resource "aws_db_instance" "this" {
  identifier                            = var.name
  engine                                = "postgres"
  engine_version                        = tostring(var.database.version)
  instance_class                        = var.database.class
  db_name                               = "fraiseql"
  username                              = "fraiseql"
  manage_master_user_password           = true # in Secrets Manager, rotated there, never in a state
  master_user_secret_kms_key_id         = local.user_key
  allocated_storage                     = var.database.storage_gb
  max_allocated_storage                 = var.database.max_storage_gb > var.database.storage_gb ? var.database.max_storage_gb : null
  storage_type                          = "gp3"
  storage_encrypted                     = true
  kms_key_id                            = local.user_key
  multi_az                              = var.database.high_availability
  db_subnet_group_name                  = aws_db_subnet_group.this.name
  parameter_group_name                  = aws_db_parameter_group.this.name
  vpc_security_group_ids                = [aws_security_group.database.id]
  publicly_accessible                   = var.database.public_access
  backup_retention_period               = var.database.backup_days
  backup_window                         = var.database.backup_window
  copy_tags_to_snapshot                 = true
  delete_automated_backups              = false
  deletion_protection                   = var.database.deletion_protection
  skip_final_snapshot                   = var.final_snapshot == ""
  final_snapshot_identifier             = var.final_snapshot == "" ? null : var.final_snapshot
  auto_minor_version_upgrade            = true
  apply_immediately                     = true
  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]
  performance_insights_enabled          = local.insights
  performance_insights_kms_key_id       = local.insights ? local.user_key : null
  performance_insights_retention_period = local.insights ? 7 : null
  iam_database_authentication_enabled   = true
  tags                                  = merge(local.tags, { Name = var.name, "fraiseql-address" = "aws_db_instance.this" })
  depends_on                            = [aws_cloudwatch_log_group.database]

  lifecycle {
    # The cloud's own minor upgrades are no drift.
    ignore_changes = [engine_version]
  }
}
