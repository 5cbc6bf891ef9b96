# Asks for the day's export once a day. The command may run twice: the same day is the same export.

variable "name" {
  description = "What names start with."
  type        = string
}

variable "place" {
  description = "Account, region and partition."
  type        = object({ account = string, region = string, partition = string })
}

variable "cluster_arn" {
  description = "Where the task runs."
  type        = string
}

variable "task" {
  description = "The task: its definition, security group, and the roles to pass."
  type        = object({ definition_arn = string, security_group_id = string, role_arns = list(string) })
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "hour" {
  description = "Hour of the day, in UTC."
  type        = number
}

variable "key_arn" {
  description = "KMS key of the schedule and of the queue of what failed."
  type        = string
}

locals {
  # Any revision of this family, so that a new image needs no new policy.
  family_arn = replace(var.task.definition_arn, "/:[0-9]+$/", "")
  trust = {
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = {
          "aws:SourceAccount" = var.place.account
          "aws:SourceArn"     = "arn:${var.place.partition}:scheduler:${var.place.region}:${var.place.account}:schedule-group/${var.name}"
        }
      }
    }]
  }
  policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "RunTheTask"
        Effect    = "Allow"
        Action    = "ecs:RunTask"
        Resource  = "${local.family_arn}:*"
        Condition = { ArnEquals = { "ecs:cluster" = var.cluster_arn } }
      },
      {
        Sid       = "PassItsRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = var.task.role_arns
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      {
        Sid      = "TellWhatFailed"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.failed.arn
      },
      {
        Sid      = "UseTheKey"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.key_arn
      },
    ]
  }
}

resource "aws_sqs_queue" "failed" {
  name                      = "${var.name}-daily-export-failed"
  kms_master_key_id         = var.key_arn
  message_retention_seconds = 14 * 86400
}

resource "aws_iam_role" "this" {
  name               = "${var.name}-schedule"
  assume_role_policy = jsonencode(local.trust)
}

resource "aws_iam_role_policy" "this" {
  name   = "run"
  role   = aws_iam_role.this.id
  policy = jsonencode(local.policy)
}

resource "aws_scheduler_schedule_group" "this" {
  name = var.name
}

resource "aws_scheduler_schedule" "this" {
  name                         = "${var.name}-daily-export"
  group_name                   = aws_scheduler_schedule_group.this.name
  description                  = "Asks for the export of the day before"
  schedule_expression          = "cron(5 ${var.hour} * * ? *)"
  schedule_expression_timezone = "UTC"
  kms_key_arn                  = var.key_arn

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 10
  }

  target {
    arn      = var.cluster_arn
    role_arn = aws_iam_role.this.arn

    ecs_parameters {
      task_definition_arn = local.family_arn # its latest revision
      launch_type         = "FARGATE"
      task_count          = 1
      propagate_tags      = "TASK_DEFINITION"

      network_configuration {
        subnets          = var.subnet_ids
        security_groups  = [var.task.security_group_id]
        assign_public_ip = false
      }
    }

    retry_policy {
      maximum_retry_attempts       = 10
      maximum_event_age_in_seconds = 6 * 3600
    }

    dead_letter_config {
      arn = aws_sqs_queue.failed.arn
    }
  }

  depends_on = [aws_iam_role_policy.this]
}

output "failed_queue" {
  description = "Name of the queue of what could not be started."
  value       = aws_sqs_queue.failed.name
}
