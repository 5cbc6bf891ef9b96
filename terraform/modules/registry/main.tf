# Where images are pushed to.

variable "name" {
  description = "Name of the repository."
  type        = string
}

variable "place" {
  description = "Account, region and partition."
  type        = object({ account = string, region = string, partition = string })
}

variable "key_arn" {
  description = "KMS key that images are encrypted with."
  type        = string
}

variable "images_kept" {
  description = "Tagged images that are kept."
  type        = number
}

locals {
  # Lambda pulls by itself and not as the function's role.
  policy = {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "LambdaPulls"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Condition = {
        StringLike = {
          "aws:SourceArn" = "arn:${var.place.partition}:lambda:${var.place.region}:${var.place.account}:function:${var.name}-api"
        }
      }
    }]
  }
  lifecycle_policy = {
    rules = [
      {
        rulePriority = 1
        description  = "What lost its tag"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "Old images"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.images_kept }
        action       = { type = "expire" }
      },
    ]
  }
}

resource "aws_ecr_repository" "this" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.key_arn
  }
}

resource "aws_ecr_repository_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy     = jsonencode(local.policy)
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy     = jsonencode(local.lifecycle_policy)
}

output "arn" {
  description = "ARN of the repository."
  value       = aws_ecr_repository.this.arn
}

output "url" {
  description = "Where to push to."
  value       = aws_ecr_repository.this.repository_url
}
