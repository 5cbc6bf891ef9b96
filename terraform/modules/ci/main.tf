# What GitHub's workflows of one repository may do: push an image, and have services run it. They
# sign in by OpenID Connect, so no key of theirs exists.

variable "name" {
  description = "What names start with."
  type        = string
}

variable "place" {
  description = "Account, region and partition."
  type        = object({ account = string, region = string, partition = string })
}

variable "repository" {
  description = "Repository on GitHub, `owner/name`."
  type        = string
}

variable "environment" {
  description = "Environment of the repository whose jobs may deploy."
  type        = string
}

variable "provider_arn" {
  description = "GitHub's OpenID provider in this account; null makes it."
  type        = string
}

variable "registry_arn" {
  description = "Where images are pushed to."
  type        = string
}

variable "service_arns" {
  description = "ECS services that may be told to run another image."
  type        = list(string)
}

variable "function_arns" {
  description = "Functions that may be told to run another image."
  type        = list(string)
}

variable "families" {
  description = "Families of task definitions of which revisions may be made."
  type        = list(string)
}

variable "passed_role_arns" {
  description = "Roles that these task definitions name."
  type        = list(string)
}

locals {
  host         = "token.actions.githubusercontent.com"
  provider_arn = var.provider_arn == null ? one(aws_iam_openid_connect_provider.github[*].arn) : var.provider_arn
  trust = {
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.host}:aud" = "sts.amazonaws.com"
          "${local.host}:sub" = "repo:${var.repository}:environment:${var.environment}"
        }
      }
    }]
  }
  policy = {
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "SignInToTheRegistry" # it cannot be named: it is the account's
          Effect   = "Allow"
          Action   = "ecr:GetAuthorizationToken"
          Resource = "*"
        },
        {
          Sid    = "PushImages"
          Effect = "Allow"
          Action = [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:DescribeImages",
            "ecr:GetDownloadUrlForLayer",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
          ]
          Resource = var.registry_arn
        },
      ],
      [for each in [
        {
          Sid      = "UpdateServices"
          Effect   = "Allow"
          Action   = ["ecs:DescribeServices", "ecs:UpdateService"]
          Resource = var.service_arns
        },
        {
          Sid    = "MakeRevisions"
          Effect = "Allow"
          Action = "ecs:RegisterTaskDefinition"
          Resource = [for family in var.families :
          "arn:${var.place.partition}:ecs:${var.place.region}:${var.place.account}:task-definition/${family}:*"]
        },
        {
          Sid      = "ReadRevisions" # reading them knows no resources
          Effect   = "Allow"
          Action   = "ecs:DescribeTaskDefinition"
          Resource = "*"
        },
        {
          Sid       = "PassTheirRoles"
          Effect    = "Allow"
          Action    = "iam:PassRole"
          Resource  = var.passed_role_arns
          Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
        },
      ] : each if length(var.service_arns) > 0],
      [for each in [
        {
          Sid      = "UpdateTheFunction"
          Effect   = "Allow"
          Action   = ["lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:UpdateFunctionCode"]
          Resource = var.function_arns
        },
      ] : each if length(var.function_arns) > 0],
    )
  }
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.provider_arn == null ? 1 : 0

  url            = "https://${local.host}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "this" {
  name                 = "${var.name}-ci"
  assume_role_policy   = jsonencode(local.trust)
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "this" {
  name   = "deploy"
  role   = aws_iam_role.this.id
  policy = jsonencode(local.policy)
}

output "role_arn" {
  description = "The role that workflows assume."
  value       = aws_iam_role.this.arn
}

output "policies" {
  description = "Who may assume the role, and what it may do, as JSON."
  value       = { trust = jsonencode(local.trust), role = jsonencode(local.policy) }
}
