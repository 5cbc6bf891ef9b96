# The janitor of the application removes what nothing refers to; this is the net below it.

resource "aws_s3_bucket_lifecycle_configuration" "store" {
  bucket = aws_s3_bucket.store.id

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  rule {
    id     = "files-of-exports"
    status = "Enabled"

    filter {
      prefix = "data/"
    }

    expiration {
      days = var.files_kept_days + local.slack_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  rule {
    id     = "observations"
    status = "Enabled"

    filter {
      prefix = "observations/"
    }

    expiration {
      days = var.observed_days + local.slack_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 7
    }
  }

  rule {
    id     = "probes"
    status = "Enabled"

    filter {
      prefix = "probe/"
    }

    expiration {
      days = 1
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  # Time to notice that somebody spoilt the catalogue, and to take a version back.
  rule {
    id     = "noncurrent-versions"
    status = "Enabled"
    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  depends_on = [aws_s3_bucket_versioning.store]
}
