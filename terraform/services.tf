# What needs an image: it is there once `image` is given.

module "server" {
  source = "./modules/server"
  count  = local.runs && !local.is_lambda ? 1 : 0

  name                = var.name
  cluster             = { name = aws_ecs_cluster.this.name, arn = aws_ecs_cluster.this.arn }
  task                = module.server_task
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.private_subnet_ids
  port                = local.port
  certificate_arn     = var.certificate_arn
  logs_bucket         = module.store.logs_bucket
  count_min           = var.server.count_min
  count_max           = var.server.count_max
  requests_per_minute = var.server.requests_per_minute
}

module "function" {
  source = "./modules/function"
  count  = local.runs && local.is_lambda ? 1 : 0

  name              = var.name
  place             = local.place
  image             = var.image
  architecture      = var.architecture
  memory_mib        = var.function.memory_mib
  at_once_max       = var.function.at_once_max
  environment       = local.server_environment
  secret_arns       = module.secrets.arns
  statements        = local.server_statements
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.server_task.security_group_id
  log_group         = module.server_task.log_group
  key_arn           = module.key.arn
  log_days          = var.log_days
}

module "worker" {
  source = "./modules/worker"
  count  = local.runs ? 1 : 0

  name         = var.name
  cluster      = { name = aws_ecs_cluster.this.name, arn = aws_ecs_cluster.this.arn }
  task         = module.worker_task
  subnet_ids   = module.network.private_subnet_ids
  count_min    = var.worker.count_min
  count_max    = var.worker.count_max
  jobs_at_once = var.worker.jobs_at_once
  namespace    = local.namespace
}

module "schedule" {
  source = "./modules/schedule"
  count  = local.runs ? 1 : 0

  name        = var.name
  place       = local.place
  cluster_arn = aws_ecs_cluster.this.arn
  task        = module.export_task
  subnet_ids  = module.network.private_subnet_ids
  hour        = var.daily_export_hour
  key_arn     = module.key.arn
}

module "edge" {
  source    = "./modules/edge"
  count     = local.runs ? 1 : 0
  providers = { aws = aws.us_east_1 }

  name  = var.name
  place = local.place
  origin = {
    host         = local.is_lambda ? module.function[0].host : coalesce(var.origin_domain, var.domain)
    is_private   = !local.is_lambda
    balancer_arn = local.is_lambda ? null : module.server[0].balancer_arn
  }
  domain                    = var.domain
  certificate_arn           = var.domain_certificate_arn
  logs_bucket_arn           = module.store.logs_bucket_arn
  requests_per_five_minutes = var.requests_per_five_minutes
  key_arn                   = module.edge_key.arn
  log_days                  = var.log_days
}

module "watch" {
  source = "./modules/watch"
  count  = local.runs ? 1 : 0

  name            = var.name
  place           = local.place
  namespace       = local.namespace
  key_arn         = module.key.arn
  email           = var.alarm_email
  budget_usd      = var.budget_usd
  log_groups      = { server = module.server_task.log_group, worker = module.worker_task.log_group }
  api             = local.is_lambda ? local.lambda_metrics : local.fargate_metrics
  queue_members   = module.queue.members
  failed_queue    = module.schedule[0].failed_queue
  queue_age_s_max = var.queue_age_s_max
  errors_max      = var.errors_max
}

module "ci" {
  source = "./modules/ci"
  count  = var.github == null ? 0 : 1

  name          = var.name
  place         = local.place
  repository    = var.github.repository
  environment   = var.github.environment
  provider_arn  = var.github.provider_arn
  registry_arn  = module.registry.arn
  service_arns  = concat(module.server[*].service_arn, module.worker[*].service_arn)
  function_arns = module.function[*].function.arn
  families      = ["${var.name}-server", "${var.name}-worker", "${var.name}-daily-export"]
  passed_role_arns = concat(
    module.server_task.role_arns, module.worker_task.role_arns, module.export_task.role_arns,
  )
}

locals {
  balancer_names = try(module.server[0].metric_names, { balancer = "", targets = "" })

  fargate_metrics = {
    latency = {
      namespace  = "AWS/ApplicationELB"
      name       = "TargetResponseTime"
      dimensions = { LoadBalancer = local.balancer_names.balancer }
      p99_max    = var.latency_p99_s_max
    }
    absent = {
      namespace  = "AWS/ApplicationELB"
      name       = "HealthyHostCount"
      dimensions = { LoadBalancer = local.balancer_names.balancer, TargetGroup = local.balancer_names.targets }
      statistic  = "Maximum"
      comparison = "LessThanThreshold"
      threshold  = 1
      missing    = "breaching"
    }
  }

  lambda_metrics = {
    latency = {
      namespace  = "AWS/ApiGateway"
      name       = "Latency"
      dimensions = { ApiId = try(module.function[0].api_id, "") }
      p99_max    = var.latency_p99_s_max * 1000
    }
    absent = {
      namespace  = "AWS/Lambda"
      name       = "Throttles"
      dimensions = { FunctionName = try(module.function[0].function.name, "") }
      statistic  = "Sum"
      comparison = "GreaterThanThreshold"
      threshold  = 0
      missing    = "notBreaching"
    }
  }
}
