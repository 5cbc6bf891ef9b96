# Two roles: Fargate's, to start the container, and the task's own.

locals {
  trust = {
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.place.account }
        ArnLike      = { "aws:SourceArn" = "arn:${var.place.partition}:ecs:${var.place.region}:${var.place.account}:*" }
      }
    }]
  }
  execution_policy = {
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid      = "SignInToTheRegistry" # it cannot be named: it is the account's
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Sid      = "PullTheImage"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = var.repository_arn
      },
      {
        Sid      = "WriteLines"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.this.arn}:*"
      },
      ], [for each in [
        {
          Sid      = "ReadSecrets"
          Effect   = "Allow"
          Action   = "secretsmanager:GetSecretValue"
          Resource = values(var.secret_arns)
        },
        {
          Sid       = "UseTheirKey"
          Effect    = "Allow"
          Action    = "kms:Decrypt"
          Resource  = var.key_arn
          Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.place.region}.amazonaws.com" } }
        },
    ] : each if length(var.secret_arns) > 0])
  }
  task_policy = { Version = "2012-10-17", Statement = var.statements }
}

resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  assume_role_policy = jsonencode(local.trust)
}

resource "aws_iam_role_policy" "execution" {
  name   = "start"
  role   = aws_iam_role.execution.id
  policy = jsonencode(local.execution_policy)
}

resource "aws_iam_role" "task" {
  name               = var.name
  assume_role_policy = jsonencode(local.trust)
}

resource "aws_iam_role_policy" "task" {
  name   = "run"
  role   = aws_iam_role.task.id
  policy = jsonencode(local.task_policy)
}
