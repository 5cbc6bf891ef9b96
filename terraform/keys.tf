# Which services encrypt with our keys by themselves.

locals {
  logs_statement = { for region in toset([var.region, "us-east-1"]) : region => {
    Sid       = "LogGroups"
    Effect    = "Allow"
    Principal = { Service = "logs.${region}.amazonaws.com" }
    Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    Resource  = "*"
    Condition = {
      ArnLike = {
        "kms:EncryptionContext:aws:logs:arn" = "arn:${local.place.partition}:logs:${region}:${local.place.account}:log-group:*${var.name}*"
      }
    }
  } }

  key_statements = [
    local.logs_statement[var.region],
    {
      Sid       = "AlarmsToTheTopic"
      Effect    = "Allow"
      Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceAccount" = local.place.account } }
    },
  ]
}
