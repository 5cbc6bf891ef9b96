# Who reached what: access logs of the store, of the load balancer and of CloudFront.

locals {
  logs_arn = "arn:${var.place.partition}:s3:::${aws_s3_bucket.logs.bucket}"
  logs_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [local.logs_arn, "${local.logs_arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "AccessLogsOfTheStore"
        Effect    = "Allow"
        Principal = { Service = "logging.s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${local.logs_arn}/store/*"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.place.account }
          ArnLike      = { "aws:SourceArn" = local.bucket_arn }
        }
      },
      {
        Sid       = "AccessLogsOfTheBalancer"
        Effect    = "Allow"
        Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${local.logs_arn}/balancer/AWSLogs/${var.place.account}/*"
      },
      {
        Sid       = "AccessLogsOfCloudFront"
        Effect    = "Allow"
        Principal = { Service = "delivery.logs.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${local.logs_arn}/AWSLogs/${var.place.account}/CloudFront/*"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.place.account }
          ArnLike = {
            "aws:SourceArn" = "arn:${var.place.partition}:logs:us-east-1:${var.place.account}:delivery-source:*"
          }
        }
      },
    ]
  }
}

resource "aws_s3_bucket" "logs" {
  #checkov:skip=CKV_AWS_18: the access logs of the access logs would fill it for ever
  #checkov:skip=CKV_AWS_21: logs are written once, and expire
  #checkov:skip=CKV_AWS_144: logs are for looking at, not for keeping
  #checkov:skip=CKV_AWS_145: load balancers write only where S3's own key encrypts
  #checkov:skip=CKV2_AWS_62: nothing is told of changes
  bucket = "${var.name}-logs-${var.place.account}-${var.place.region}"
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "logs" {
  bucket                  = aws_s3_bucket.logs.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    id     = "old-logs"
    status = "Enabled"
    filter {}

    expiration {
      days = var.log_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = jsonencode(local.logs_policy)

  depends_on = [aws_s3_bucket_public_access_block.logs]
}
