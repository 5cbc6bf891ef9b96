output "bucket" {
  description = "Name of the store."
  value       = aws_s3_bucket.store.bucket
}

output "bucket_arn" {
  description = "ARN of the store."
  value       = local.bucket_arn
}

output "logs_bucket" {
  description = "Name of the bucket for access logs."
  value       = aws_s3_bucket.logs.bucket

  depends_on = [aws_s3_bucket_policy.logs]
}

output "logs_bucket_arn" {
  description = "ARN of the bucket for access logs."
  value       = local.logs_arn

  depends_on = [aws_s3_bucket_policy.logs]
}

output "statements" {
  description = "Statements of a role that serves, works, or only asks for exports."
  value       = { server = local.serving, worker = local.working, export = local.asking }
}

output "policy" {
  description = "The store's own policy."
  value       = jsonencode(local.store_policy)
}
