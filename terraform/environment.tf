# What processes are told (docs/settings.md). Secrets are not here: they come by reference.

locals {
  worker_stop_s = 30

  common_environment = merge(var.settings, {
    MOVIEQL_PROVIDERS       = var.providers_toml
    MOVIEQL_STORE_BUCKET    = module.store.bucket
    MOVIEQL_STORE_REGION    = var.region
    MOVIEQL_QUEUE_URL       = module.queue.url
    MOVIEQL_QUEUE_IAM_NAME  = module.queue.id
    MOVIEQL_EXPORT_KEPT_S   = tostring(var.files_kept_days * 86400)
    MOVIEQL_OBSERVED_DAYS   = tostring(var.observed_days)
    MOVIEQL_DAILY_EXPORT    = "false" # the scheduler's
    MOVIEQL_WORKER_STOP_S   = tostring(local.worker_stop_s)
    MOVIEQL_CACHE_URL       = module.cache.url
    MOVIEQL_CACHE_IAM_NAME  = module.cache.id
    MOVIEQL_CACHE_TIMEOUT_S = lookup(var.settings, "MOVIEQL_CACHE_TIMEOUT_S", "0.1") # it is in another zone at times, and speaks TLS
  })

  server_environment = merge(local.common_environment, {
    MOVIEQL_HOST           = "0.0.0.0"
    MOVIEQL_PORT           = tostring(local.port)
    MOVIEQL_QUEUE_IAM_USER = module.queue.users["server"]
    MOVIEQL_CACHE_IAM_USER = module.cache.users["server"]
    # CloudFront writes who asked into X-Forwarded-For, and whoever is behind it, CloudFront.
    MOVIEQL_TRUSTED_HOPS = "2"
  })

  worker_environment = merge(local.common_environment, {
    MOVIEQL_QUEUE_IAM_USER   = module.queue.users["worker"]
    MOVIEQL_CACHE_IAM_USER   = module.cache.users["worker"]
    MOVIEQL_WORKER_PROCESSES = tostring(var.worker.jobs_at_once)
  })

  # It asks no shop, so it needs no cache.
  export_environment = merge(
    { for variable, value in local.common_environment : variable => value if !startswith(variable, "MOVIEQL_CACHE_") },
    { MOVIEQL_QUEUE_IAM_USER = module.queue.users["export"] },
  )

  server_statements = concat(module.store.statements.server, module.queue.statements["server"], module.cache.statements["server"])
  worker_statements = concat(module.store.statements.worker, module.queue.statements["worker"], module.cache.statements["worker"])
  export_statements = concat(module.store.statements.export, module.queue.statements["export"])
}
