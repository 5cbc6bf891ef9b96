# Secrets without a value: Terraform makes the places, people fill them, so no value is ever in a
# variable, a plan or the state.

variable "name" {
  description = "What names start with."
  type        = string
}

variable "secrets" {
  description = "Environment variables that hold a secret, each with what it is."
  type        = map(string)
}

variable "key_arn" {
  description = "KMS key that values are encrypted with."
  type        = string
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57: others issue these tokens; how to change one is in docs/aws.md
  for_each = var.secrets

  name                    = "${var.name}/${each.key}"
  description             = each.value
  kms_key_id              = var.key_arn
  recovery_window_in_days = 7
}

output "arns" {
  description = "ARN of each secret, by environment variable."
  value       = { for variable, secret in aws_secretsmanager_secret.this : variable => secret.arn }
}

output "names" {
  description = "Name of each secret, by environment variable."
  value       = { for variable, secret in aws_secretsmanager_secret.this : variable => secret.name }
}
