# What each role may do with the store, by the keys that its process writes
# (movieql/services/export_archive.py, segment_names.py, catalogue_file.py, storage/probe.py).

locals {
  under = { for part in ["data", "manifests", "observations", "owners", "pending", "probe", "requests"] :
  part => "${local.bucket_arn}/${part}/*" }

  # Without ListBucket a key that is missing answers 403 and not 404.
  reading = [
    {
      Sid      = "Look"
      Effect   = "Allow"
      Action   = "s3:ListBucket"
      Resource = local.bucket_arn
    },
    {
      Sid      = "Read"
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = "${local.bucket_arn}/*"
    },
    {
      Sid      = "UseItsKey"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = var.key_arn
    },
  ]

  asking = concat(local.reading, [
    {
      Sid      = "AskForExports"
      Effect   = "Allow"
      Action   = "s3:PutObject"
      Resource = [for part in ["owners", "pending", "probe", "requests"] : local.under[part]]
    },
    {
      Sid      = "LeaveNoProbe"
      Effect   = "Allow"
      Action   = "s3:DeleteObject"
      Resource = local.under.probe
    },
  ])

  both = concat(local.asking, [
    {
      Sid      = "EndExportsAndWriteDownWhatIsSeen"
      Effect   = "Allow"
      Action   = "s3:PutObject"
      Resource = [local.under.manifests, local.under.observations]
    },
    {
      Sid      = "NoteThatExportsEnded"
      Effect   = "Allow"
      Action   = "s3:DeleteObject"
      Resource = local.under.pending
    },
  ])

  serving = concat(local.both, [
    {
      Sid      = "WriteTheCatalogue"
      Effect   = "Allow"
      Action   = "s3:PutObject"
      Resource = "${local.bucket_arn}/movies.json"
    },
  ])

  working = concat(local.both, [
    {
      Sid      = "WriteFiles"
      Effect   = "Allow"
      Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
      Resource = local.under.data
    },
    {
      Sid      = "FindUnfinishedFiles"
      Effect   = "Allow"
      Action   = "s3:ListBucketMultipartUploads"
      Resource = local.bucket_arn
    },
    {
      Sid    = "RemoveWhatIsOld"
      Effect = "Allow"
      Action = "s3:DeleteObject"
      Resource = [for part in ["data", "manifests", "observations", "owners", "requests"] :
      local.under[part]]
    },
  ])
}
