# The server as a function: the same image, its command `movieql lambda`. What it cannot do is in
# docs/aws.md.

locals {
  log_group_arn = "arn:${var.place.partition}:logs:${var.place.region}:${var.place.account}:log-group:${var.log_group}"
  trust = {
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  }
  policy = {
    Version = "2012-10-17"
    Statement = concat(var.statements, [
      {
        Sid      = "WriteLines"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${local.log_group_arn}:*"
      },
      {
        Sid    = "JoinTheVpc" # these cannot be named before they are there
        Effect = "Allow"
        Action = [
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:UnassignPrivateIpAddresses",
        ]
        Resource = "*"
      },
      {
        # Lambda acts as the function's role when it joins the VPC; the code itself must not.
        Sid       = "NotByTheCodeItself"
        Effect    = "Deny"
        Action    = "ec2:*"
        Resource  = "*"
        Condition = { ArnEquals = { "lambda:SourceFunctionArn" = local.function_arn } }
      },
      ], [for each in [
        {
          Sid      = "ReadSecrets"
          Effect   = "Allow"
          Action   = "secretsmanager:GetSecretValue"
          Resource = values(var.secret_arns)
        },
        {
          Sid      = "UseTheirKey"
          Effect   = "Allow"
          Action   = "kms:Decrypt"
          Resource = var.key_arn
        },
    ] : each if length(var.secret_arns) > 0])
  }
  function_arn = "arn:${var.place.partition}:lambda:${var.place.region}:${var.place.account}:function:${var.name}-api"
}

resource "aws_iam_role" "this" {
  name               = "${var.name}-function"
  assume_role_policy = jsonencode(local.trust)
}

resource "aws_iam_role_policy" "this" {
  name   = "run"
  role   = aws_iam_role.this.id
  policy = jsonencode(local.policy)
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50: a request's id is followed through the log, not through X-Ray
  #checkov:skip=CKV_AWS_116: API Gateway waits for every answer, so nothing is left to keep
  #checkov:skip=CKV_AWS_272: code signing is for zip archives; images come from our own registry
  function_name                  = "${var.name}-api"
  description                    = "The GraphQL server"
  role                           = aws_iam_role.this.arn
  package_type                   = "Image"
  image_uri                      = var.image
  architectures                  = [var.architecture == "ARM64" ? "arm64" : "x86_64"]
  memory_size                    = var.memory_mib
  timeout                        = 29 # API Gateway gives up after 30 s
  reserved_concurrent_executions = var.at_once_max
  kms_key_arn                    = var.key_arn

  image_config {
    entry_point = ["movieql"]
    command     = ["lambda"]
  }

  environment {
    # Lambda has no place for references to secrets: the command reads these when it starts.
    variables = merge(var.environment, { LAMBDA_SECRETS = jsonencode(var.secret_arns) })
  }

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [var.security_group_id]
  }

  logging_config {
    log_format = "Text" # lines are JSON as they are
    log_group  = var.log_group
  }

  depends_on = [aws_iam_role_policy.this]

  lifecycle {
    precondition {
      condition     = length(jsonencode(merge(var.environment, var.secret_arns))) <= 4096
      error_message = "Lambda takes 4 kB of environment variables: leave comments, and fields that nobody asks for, out of `providers_toml`."
    }
  }
}
