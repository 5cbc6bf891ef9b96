# The one object store of the application: house catalogue, exports, observations.

locals {
  # A day for S3, which removes at midnight, and one for clocks and the janitor.
  slack_days = 2
}

resource "aws_s3_bucket" "store" {
  #checkov:skip=CKV_AWS_144: one region; what another region would cost is in docs/aws.md
  #checkov:skip=CKV2_AWS_62: nothing is told of changes: the application asks for what it wants
  bucket = "${var.name}-store-${var.place.account}-${var.place.region}"
}

resource "aws_s3_bucket_versioning" "store" {
  bucket = aws_s3_bucket.store.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "store" {
  bucket = aws_s3_bucket.store.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.key_arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "store" {
  bucket                  = aws_s3_bucket.store.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "store" {
  bucket = aws_s3_bucket.store.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_logging" "store" {
  bucket        = aws_s3_bucket.store.id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "store/"
}

resource "aws_s3_bucket_policy" "store" {
  bucket = aws_s3_bucket.store.id
  policy = jsonencode(local.store_policy)

  depends_on = [aws_s3_bucket_public_access_block.store]
}
