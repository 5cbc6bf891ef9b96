# The whole: what there is before an image, on Fargate, and on Lambda.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "./tests/mocks"
}

variables {
  providers_toml  = <<-EOT
    [[providers]]
    id = "cinemaworld"
    auth = { kind = "header", name = "x-access-token", token_env = "CINEMAWORLD_TOKEN" }
  EOT
  secrets         = { MOVIEQL_JWT_SECRET = "Signs tokens", CINEMAWORLD_TOKEN = "Token of a shop" }
  certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-1111-1111-1111-111111111111"
  origin_domain   = "origin.example.org"
}

run "before_an_image" {
  assert {
    condition     = output.url == null && length(module.server) + length(module.worker) + length(module.function) + length(module.edge) + length(module.schedule) + length(module.watch) + length(module.ci) == 0
    error_message = "Nothing runs yet."
  }

  assert {
    condition     = toset(keys(output.fill_secrets)) == toset(["MOVIEQL_JWT_SECRET", "CINEMAWORLD_TOKEN"]) && strcontains(output.fill_secrets.CINEMAWORLD_TOKEN, "--secret-id movieql/CINEMAWORLD_TOKEN ") && startswith(output.next, "Fill the secrets")
    error_message = "It says how to go on."
  }

  assert {
    condition     = strcontains(output.push_image, "docker push 123456789012.dkr.ecr.eu-west-1.amazonaws.com/movieql:TAG") && strcontains(output.push_image, "--password-stdin 123456789012.dkr.ecr.eu-west-1.amazonaws.com\n")
    error_message = "It says how to push an image."
  }

  assert {
    condition     = module.queue.parameters == { maxmemory-policy = "noeviction" } && module.cache.parameters == { maxmemory-policy = "allkeys-lru" }
    error_message = "The queue forgets nothing, the cache what is asked for least."
  }
}

run "fargate" {
  variables {
    image  = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/movieql:1.0.0"
    github = { repository = "owner/movieql" }
  }

  assert {
    condition     = output.url == "https://d111111abcdef8.cloudfront.net" && length(module.server) == 1 && length(module.function) == 0 && length(module.worker) == 1 && length(module.ci) == 1
    error_message = "Servers and workers run."
  }

  assert {
    condition     = jsondecode(module.server_task.container).command == ["serve"] && jsondecode(module.worker_task.container).command == ["worker"] && jsondecode(module.export_task.container).command == ["daily-export"]
    error_message = "One image, three commands."
  }

  assert {
    condition     = alltrue([for variable, value in { MOVIEQL_HOST = "0.0.0.0", MOVIEQL_TRUSTED_HOPS = "2", MOVIEQL_DAILY_EXPORT = "false", MOVIEQL_QUEUE_IAM_USER = "movieql-queue-server", MOVIEQL_QUEUE_IAM_NAME = "movieql-queue", MOVIEQL_CACHE_IAM_USER = "movieql-cache-server", MOVIEQL_CACHE_IAM_NAME = "movieql-cache", MOVIEQL_STORE_REGION = "eu-west-1" } : contains([for each in jsondecode(module.server_task.container).environment : "${each.name}=${each.value}"], "${variable}=${value}")])
    error_message = "Servers are told what they need."
  }

  assert {
    condition     = alltrue([for variable, value in { MOVIEQL_DAILY_EXPORT = "false", MOVIEQL_WORKER_STOP_S = "30", MOVIEQL_QUEUE_IAM_USER = "movieql-queue-worker", MOVIEQL_EXPORT_KEPT_S = "604800" } : contains([for each in jsondecode(module.worker_task.container).environment : "${each.name}=${each.value}"], "${variable}=${value}")]) && jsondecode(module.worker_task.container).stopTimeout > 30
    error_message = "Workers are told what they need, leave the day's export to the scheduler, and get their time to end."
  }

  assert {
    condition = alltrue([for container in [module.server_task.container, module.worker_task.container, module.export_task.container] :
    toset([for each in jsondecode(container).secrets : each.name]) == toset(["MOVIEQL_JWT_SECRET", "CINEMAWORLD_TOKEN"]) && alltrue([for each in jsondecode(container).secrets : startswith(each.valueFrom, "arn:aws:secretsmanager:")])])
    error_message = "Secrets come by reference."
  }

  assert {
    condition = alltrue([for container in [module.server_task.container, module.worker_task.container, module.export_task.container] :
    length(setintersection([for each in jsondecode(container).environment : each.name], keys(var.secrets))) == 0 && !anytrue([for each in jsondecode(container).environment : can(regex("://[^/]*@", each.value))])])
    error_message = "No secret, and no address with a password, is in plain sight."
  }

  assert {
    condition     = jsondecode(module.server_task.container).healthCheck.command[1] == "python" && !can(jsondecode(module.worker_task.container).healthCheck.command)
    error_message = "A server is asked how it is; a worker's supervisor sees to it itself."
  }

  assert {
    condition = alltrue([for policy in [module.server_task.policies.task, module.worker_task.policies.task, module.export_task.policies.task] :
    !anytrue([for each in jsondecode(policy).Statement : contains(flatten([each.Resource]), "*") || strcontains(jsonencode(each.Action), "*")])])
    error_message = "What a task may do is named, as is what it may do it with."
  }

  assert {
    condition = alltrue([for who, policy in { server = module.server_task.policies.task, worker = module.worker_task.policies.task, export = module.export_task.policies.task } :
      alltrue([for each in jsondecode(policy).Statement : endswith(jsonencode(each.Resource), ":user:movieql-queue-${who}\"]") || endswith(jsonencode(each.Resource), ":user:movieql-cache-${who}\"]")
    if contains(flatten([each.Action]), "elasticache:Connect")])])
    error_message = "A task signs in as itself."
  }

  assert {
    condition     = !strcontains(module.export_task.container, "MOVIEQL_CACHE_") && !strcontains(module.export_task.policies.task, "movieql-cache")
    error_message = "Who only asks for exports needs no cache."
  }
}

run "lambda" {
  variables {
    image           = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/movieql:1.0.0"
    api             = "lambda"
    certificate_arn = null
    origin_domain   = null
    github          = { repository = "owner/movieql" }
  }

  assert {
    condition     = length(module.server) == 0 && length(module.function) == 1 && length(module.worker) == 1 && module.server_task.definition_arn == null
    error_message = "The API is a function, workers stay on Fargate."
  }

  assert {
    condition     = strcontains(module.function[0].policy, ":user:movieql-queue-server") && !strcontains(module.ci[0].policies.role, "movieql-server\"") || strcontains(module.ci[0].policies.role, "lambda:UpdateFunctionCode")
    error_message = "The function signs in as a server, and workflows update it."
  }

  assert {
    condition     = output.url == "https://d111111abcdef8.cloudfront.net"
    error_message = "CloudFront stands in front of it."
  }
}

run "settings_of_ours_win" {
  variables {
    image    = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/movieql:1.0.0"
    settings = { MOVIEQL_LOG_LEVEL = "warning", MOVIEQL_DAILY_EXPORT = "true", MOVIEQL_CACHE_TIMEOUT_S = "0.2" }
  }

  assert {
    condition     = toset([for each in jsondecode(module.worker_task.container).environment : "${each.name}=${each.value}" if contains(["MOVIEQL_LOG_LEVEL", "MOVIEQL_DAILY_EXPORT", "MOVIEQL_CACHE_TIMEOUT_S"], each.name)]) == toset(["MOVIEQL_LOG_LEVEL=warning", "MOVIEQL_DAILY_EXPORT=false", "MOVIEQL_CACHE_TIMEOUT_S=0.2"])
    error_message = "Other settings are handed on; those that belong to what is made here are not to be had otherwise."
  }
}
