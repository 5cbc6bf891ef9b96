# A KMS key of our own, which turns every year. Who may use it besides the account's own policies
# is in `statements`.

variable "name" {
  description = "Name of the key's alias."
  type        = string
}

variable "description" {
  description = "What is encrypted with the key."
  type        = string
}

variable "place" {
  description = "Account, region and partition."
  type        = object({ account = string, region = string, partition = string })
}

variable "statements" {
  description = "Statements of the key's policy for services that encrypt with it."
  type        = any
  default     = []
}

locals {
  policy = {
    Version = "2012-10-17"
    Statement = concat([{
      Sid       = "AccountDecidesByIam"
      Effect    = "Allow"
      Principal = { AWS = "arn:${var.place.partition}:iam::${var.place.account}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }], var.statements)
  }
}

resource "aws_kms_key" "this" {
  description             = var.description
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode(local.policy)
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

output "arn" {
  description = "The key's ARN."
  value       = aws_kms_key.this.arn
}
