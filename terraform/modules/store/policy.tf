# What no role may do, whatever its own policy says.

locals {
  bucket_arn = "arn:${var.place.partition}:s3:::${aws_s3_bucket.store.bucket}"

  # Parts of an upload cannot carry the headers; the request that completes one has to.
  creates_object = { "s3:ObjectCreationOperation" = "true" }

  store_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "RecordsOfExportsAreWrittenOnce"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = ["${local.bucket_arn}/manifests/*", "${local.bucket_arn}/requests/*"]
        Condition = {
          Null = { "s3:if-none-match" = "true" }
          Bool = local.creates_object
        }
      },
      {
        Sid       = "TheCatalogueIsComparedBeforeItIsWritten"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "${local.bucket_arn}/movies.json"
        Condition = {
          # Both have to be missing: If-None-Match makes the file, If-Match changes it.
          Null = { "s3:if-match" = "true", "s3:if-none-match" = "true" }
          Bool = local.creates_object
        }
      },
    ]
  }
}
