# READ FIRST: what there is, and what is connected with what.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  place = {
    account   = data.aws_caller_identity.current.account_id
    region    = var.region
    partition = data.aws_partition.current.partition
  }
  runs      = var.image != null
  is_lambda = var.api == "lambda"
  namespace = var.name
  port      = 8000
}

module "store_key" {
  source = "./modules/key"

  name        = "${var.name}-store"
  description = "Objects of the store of ${var.name}"
  place       = local.place
}

module "key" {
  source = "./modules/key"

  name        = var.name
  description = "Logs, secrets, images, queues and alarms of ${var.name}"
  place       = local.place
  statements  = local.key_statements
}

module "edge_key" {
  source    = "./modules/key"
  providers = { aws = aws.us_east_1 }

  name        = "${var.name}-edge"
  description = "Logs of the web ACL of ${var.name}"
  place       = merge(local.place, { region = "us-east-1" })
  statements  = [local.logs_statement["us-east-1"]]
}

module "store" {
  source = "./modules/store"

  name            = var.name
  place           = local.place
  key_arn         = module.store_key.arn
  files_kept_days = var.files_kept_days
  observed_days   = var.observed_days
  log_days        = var.log_days
}

module "network" {
  source = "./modules/network"

  name             = var.name
  region           = var.region
  partition        = local.place.partition
  cidr             = var.vpc_cidr
  zones            = var.zones
  nat_per_zone     = var.nat_per_zone
  log_key_arn      = module.key.arn
  log_days         = var.log_days
  store_bucket_arn = module.store.bucket_arn
}

module "registry" {
  source = "./modules/registry"

  name        = var.name
  place       = local.place
  key_arn     = module.key.arn
  images_kept = var.images_kept
}

module "secrets" {
  source = "./modules/secrets"

  name    = var.name
  secrets = var.secrets
  key_arn = module.key.arn
}

module "queue" {
  source = "./modules/valkey"

  name          = "${var.name}-queue"
  description   = "Jobs of exports"
  place         = local.place
  vpc_id        = module.network.vpc_id
  subnet_ids    = module.network.private_subnet_ids
  node_type     = var.queue.node_type
  nodes         = var.queue.nodes
  parameters    = { maxmemory-policy = "noeviction" } # a queue that forgets loses jobs
  snapshot_days = var.queue.snapshot_days
  key_arn       = module.key.arn
  users         = { for who in ["server", "worker", "export"] : who => local.queue_access }
  clients       = local.clients
}

module "cache" {
  source = "./modules/valkey"

  name          = "${var.name}-cache"
  description   = "Answers of shops, shared by servers"
  place         = local.place
  vpc_id        = module.network.vpc_id
  subnet_ids    = module.network.private_subnet_ids
  node_type     = var.cache.node_type
  nodes         = var.cache.nodes
  parameters    = { maxmemory-policy = "allkeys-lru" }
  snapshot_days = 0 # all of it can be asked for again
  key_arn       = module.key.arn
  users         = { for who in ["server", "worker"] : who => local.cache_access }
  clients       = { for who in ["server", "worker"] : who => local.clients[who] }
}
