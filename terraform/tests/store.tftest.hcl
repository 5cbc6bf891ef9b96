# The object store: who may never do what, and how long things stay.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name            = "movieql"
  place           = { account = "123456789012", region = "eu-west-1", partition = "aws" }
  key_arn         = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
  files_kept_days = 7
  observed_days   = 32
  log_days        = 30
}

run "store" {
  module {
    source = "./modules/store"
  }

  assert {
    condition     = aws_s3_bucket_versioning.store.versioning_configuration[0].status == "Enabled"
    error_message = "A spoilt catalogue can be taken back only where there are versions."
  }

  assert {
    condition = alltrue([for rule in aws_s3_bucket_server_side_encryption_configuration.store.rule :
    rule.bucket_key_enabled && alltrue([for how in rule.apply_server_side_encryption_by_default : how.sse_algorithm == "aws:kms" && how.kms_master_key_id == var.key_arn])])
    error_message = "Objects are encrypted with our own key, by a bucket key."
  }

  assert {
    condition = alltrue(flatten([for each in [aws_s3_bucket_public_access_block.store, aws_s3_bucket_public_access_block.logs] :
    [each.block_public_acls, each.block_public_policy, each.ignore_public_acls, each.restrict_public_buckets]]))
    error_message = "Nothing is public."
  }

  assert {
    condition     = alltrue([for each in [aws_s3_bucket_ownership_controls.store, aws_s3_bucket_ownership_controls.logs] : each.rule[0].object_ownership == "BucketOwnerEnforced"])
    error_message = "What is written is ours, whoever writes it."
  }

  assert {
    condition = alltrue([for policy in [aws_s3_bucket_policy.store.policy, aws_s3_bucket_policy.logs.policy] :
      anytrue([for each in jsondecode(policy).Statement :
    each.Effect == "Deny" && each.Principal == "*" && each.Action == "s3:*" && try(each.Condition.Bool["aws:SecureTransport"], "") == "false" && length(each.Resource) == 2])])
    error_message = "Without TLS nobody gets anything."
  }

  assert {
    condition     = aws_s3_bucket_logging.store.target_bucket == aws_s3_bucket.logs.id
    error_message = "Access to the store is logged in the other bucket."
  }
}

run "writes_without_a_condition_are_refused" {
  module {
    source = "./modules/store"
  }

  assert {
    condition = jsonencode([for each in jsondecode(aws_s3_bucket_policy.store.policy).Statement : each if each.Sid == "RecordsOfExportsAreWrittenOnce"]) == jsonencode([{
      Action    = "s3:PutObject"
      Condition = { Bool = { "s3:ObjectCreationOperation" = "true" }, Null = { "s3:if-none-match" = "true" } }
      Effect    = "Deny"
      Principal = "*"
      Resource  = ["arn:aws:s3:::${aws_s3_bucket.store.bucket}/manifests/*", "arn:aws:s3:::${aws_s3_bucket.store.bucket}/requests/*"]
      Sid       = "RecordsOfExportsAreWrittenOnce"
    }])
    error_message = "Manifests and requests need If-None-Match, also where parts are joined."
  }

  assert {
    condition = jsonencode([for each in jsondecode(aws_s3_bucket_policy.store.policy).Statement : each.Condition if endswith(jsonencode(each.Resource), "/movies.json\"")]) == jsonencode([
      { Bool = { "s3:ObjectCreationOperation" = "true" }, Null = { "s3:if-match" = "true", "s3:if-none-match" = "true" } }
    ])
    error_message = "The catalogue is refused only where both headers are missing."
  }

  assert {
    condition     = length([for each in jsondecode(aws_s3_bucket_policy.store.policy).Statement : each if each.Effect == "Allow"]) == 0
    error_message = "The bucket's policy lets nobody in: roles do."
  }
}

run "lives" {
  module {
    source = "./modules/store"
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.store.rule : rule.expiration[0].days if rule.id == "files-of-exports" && rule.filter[0].prefix == "data/"] == [9]
    error_message = "Files live as long as the application says, and slack."
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.store.rule : rule.expiration[0].days if rule.id == "observations" && rule.filter[0].prefix == "observations/"] == [34]
    error_message = "Observations live as long as the application says, and slack."
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.store.rule : rule.abort_incomplete_multipart_upload[0].days_after_initiation if rule.id == "unfinished-uploads"] == [1]
    error_message = "Unfinished uploads are aborted after a day."
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.store.rule : rule.noncurrent_version_expiration[0].noncurrent_days if rule.id == "noncurrent-versions"] == [30]
    error_message = "Versions do not stay for ever."
  }

  assert {
    condition = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.store.rule :
    rule.status == "Enabled" && !anytrue([for part in ["manifests/", "requests/", "owners/", "pending/", "movies.json"] : try(rule.filter[0].prefix, "") == part])])
    error_message = "Records are the janitor's to remove, never S3's."
  }
}

run "what_roles_may" {
  module {
    source = "./modules/store"
  }

  assert {
    condition     = alltrue([for who, statements in output.statements : alltrue([for each in statements : each.Effect == "Allow" && !strcontains(jsonencode(each.Action), "*") && !contains(flatten([each.Resource]), "*")])])
    error_message = "Every statement names actions and resources."
  }

  assert {
    condition = alltrue([
      anytrue([for each in output.statements.server : contains(flatten([each.Action]), "s3:PutObject") && strcontains(jsonencode(each.Resource), "/movies.json")]),
      !anytrue([for each in output.statements.worker : contains(flatten([each.Action]), "s3:PutObject") && strcontains(jsonencode(each.Resource), "/movies.json")]),
      !anytrue([for each in output.statements.export : contains(flatten([each.Action]), "s3:PutObject") && strcontains(jsonencode(each.Resource), "/movies.json")]),
    ])
    error_message = "Only servers write the catalogue."
  }

  assert {
    condition = alltrue([
      anytrue([for each in output.statements.worker : contains(flatten([each.Action]), "s3:AbortMultipartUpload") && strcontains(jsonencode(each.Resource), "/data/")]),
      !anytrue([for each in output.statements.server : contains(flatten([each.Action]), "s3:PutObject") && strcontains(jsonencode(each.Resource), "/data/")]),
      !anytrue([for who in ["server", "export"] : anytrue([for each in output.statements[who] : contains(flatten([each.Action]), "s3:DeleteObject") && strcontains(jsonencode(each.Resource), "/manifests/")])]),
    ])
    error_message = "Only workers write files and remove records."
  }
}
