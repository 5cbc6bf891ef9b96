# What runs on Fargate: servers, workers, and once a day the question for the day's export.

locals {
  clients = {
    server = module.server_task.security_group_id
    worker = module.worker_task.security_group_id
    export = module.export_task.security_group_id
  }

  # RQ's keys and ours; INFO and CLIENT LIST are what RQ asks besides. A test of the application
  # runs workers as a user with this string, and uses a cache as one with the other.
  queue_access = "on ~rq:* ~movieql:* &* +@all -@admin -@dangerous +info +client|list"
  # The cache's process pings by asking for the key `ping`.
  cache_access = "on ~movieql:* ~ping -@all +@connection +get +set +setex +psetex +mget +exists +del"

  health_command = ["CMD", "python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:${local.port}/healthz', timeout=4)"]

  task = {
    place          = local.place
    vpc_id         = module.network.vpc_id
    egress_ports   = var.provider_ports
    image          = var.image
    architecture   = var.architecture
    repository_arn = module.registry.arn
    key_arn        = module.key.arn
    log_days       = var.log_days
  }
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled" # workers are scaled by how many there are
  }
}

module "server_task" {
  source = "./modules/task"

  name           = "${var.name}-server"
  command        = ["serve"]
  cpu            = var.server.cpu
  memory_mib     = var.server.memory_mib
  scratch_mib    = 64
  environment    = local.server_environment
  secret_arns    = module.secrets.arns
  statements     = local.server_statements
  port           = local.port
  health_command = local.health_command
  stop_s         = 30 # more than MOVIEQL_SHUTDOWN_S

  place          = local.task.place
  vpc_id         = local.task.vpc_id
  vpc_cidr       = var.vpc_cidr
  egress_ports   = local.task.egress_ports
  image          = local.is_lambda ? null : local.task.image
  architecture   = local.task.architecture
  repository_arn = local.task.repository_arn
  key_arn        = local.task.key_arn
  log_days       = local.task.log_days
}

module "worker_task" {
  source = "./modules/task"

  name        = "${var.name}-worker"
  command     = ["worker"]
  cpu         = var.worker.cpu
  memory_mib  = var.worker.memory_mib
  scratch_mib = var.worker.scratch_mib
  environment = local.worker_environment
  secret_arns = module.secrets.arns
  statements  = local.worker_statements
  stop_s      = local.worker_stop_s + 15

  place          = local.task.place
  vpc_id         = local.task.vpc_id
  vpc_cidr       = var.vpc_cidr
  egress_ports   = local.task.egress_ports
  image          = local.task.image
  architecture   = local.task.architecture
  repository_arn = local.task.repository_arn
  key_arn        = local.task.key_arn
  log_days       = local.task.log_days
}

module "export_task" {
  source = "./modules/task"

  name        = "${var.name}-daily-export"
  command     = ["daily-export"]
  cpu         = 256
  memory_mib  = 512
  scratch_mib = 64
  environment = local.export_environment
  secret_arns = module.secrets.arns
  statements  = local.export_statements
  stop_s      = 30

  place          = local.task.place
  vpc_id         = local.task.vpc_id
  vpc_cidr       = var.vpc_cidr
  egress_ports   = local.task.egress_ports
  image          = local.task.image
  architecture   = local.task.architecture
  repository_arn = local.task.repository_arn
  key_arn        = local.task.key_arn
  log_days       = local.task.log_days
}
