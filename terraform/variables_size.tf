# How large it is

variable "server" {
  description = "Servers on Fargate: CPU units, MiB of memory, how many, and requests of one in a minute above which there are more."
  type = object({
    cpu                 = optional(number, 512)
    memory_mib          = optional(number, 1024)
    count_min           = optional(number, 2)
    count_max           = optional(number, 6)
    requests_per_minute = optional(number, 3000)
  })
  default = {}

  validation {
    condition     = var.server.count_min >= 1 && var.server.count_min <= var.server.count_max && var.server.count_max <= 100
    error_message = "There are 1 to 100 servers, and the lower bound is not above the upper one."
  }

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.server.cpu) && var.server.memory_mib >= 2 * var.server.cpu && var.server.memory_mib <= 8 * var.server.cpu
    error_message = "Fargate has 256 to 4,096 CPU units, with 2 to 8 MiB of memory for each."
  }
}

variable "worker" {
  description = "Workers on Fargate: CPU units, MiB of memory, MiB of it for files in /tmp, how many, and exports of one at once."
  type = object({
    cpu          = optional(number, 512)
    memory_mib   = optional(number, 2048)
    scratch_mib  = optional(number, 512)
    count_min    = optional(number, 1)
    count_max    = optional(number, 4)
    jobs_at_once = optional(number, 1)
  })
  default = {}

  validation {
    condition     = var.worker.count_min >= 1 && var.worker.count_min <= var.worker.count_max && var.worker.count_max <= 100
    error_message = "There are 1 to 100 workers, and the lower bound is not above the upper one: without one nobody keeps house."
  }

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.worker.cpu) && var.worker.memory_mib >= 2 * var.worker.cpu && var.worker.memory_mib <= 8 * var.worker.cpu
    error_message = "Fargate has 256 to 4,096 CPU units, with 2 to 8 MiB of memory for each."
  }

  validation {
    condition     = var.worker.scratch_mib >= 64 && var.worker.scratch_mib <= var.worker.memory_mib / 2 && var.worker.jobs_at_once >= 1 && var.worker.jobs_at_once <= 64
    error_message = "Files take 64 MiB to half of the memory, and a worker runs 1 to 64 exports at once."
  }
}

variable "function" {
  description = "The function, where `api` is `lambda`: MiB of memory, and requests at once."
  type = object({
    memory_mib  = optional(number, 1769)
    at_once_max = optional(number, 50)
  })
  default = {}

  validation {
    condition     = var.function.memory_mib >= 512 && var.function.memory_mib <= 10240 && var.function.at_once_max >= 1 && var.function.at_once_max <= 900
    error_message = "A function has 512 to 10,240 MiB, and 1 to 900 requests at once: an account has 1,000, of which 100 stay free."
  }
}

variable "queue" {
  description = "The queue's Valkey: size of a node, nodes, and days that daily snapshots are kept."
  type = object({
    node_type     = optional(string, "cache.t4g.micro")
    nodes         = optional(number, 2)
    snapshot_days = optional(number, 3)
  })
  default = {}

  validation {
    condition     = startswith(var.queue.node_type, "cache.") && var.queue.nodes >= 2 && var.queue.nodes <= 6 && var.queue.snapshot_days >= 1 && var.queue.snapshot_days <= 35
    error_message = "The queue has 2 to 6 nodes (one cannot take over for itself), and snapshots for 1 to 35 days."
  }
}

variable "cache" {
  description = "The cache's Valkey: size of a node, and nodes."
  type = object({
    node_type = optional(string, "cache.t4g.micro")
    nodes     = optional(number, 2)
  })
  default = {}

  validation {
    condition     = startswith(var.cache.node_type, "cache.") && var.cache.nodes >= 2 && var.cache.nodes <= 6
    error_message = "The cache has 2 to 6 nodes: one cannot take over for itself."
  }
}

# How long things are kept

variable "files_kept_days" {
  description = "Days that files of exports are kept: MOVIEQL_EXPORT_KEPT_S."
  type        = number
  default     = 7

  validation {
    condition     = var.files_kept_days >= 1 && var.files_kept_days <= 7 && floor(var.files_kept_days) == var.files_kept_days
    error_message = "Files are kept 1 to 7 whole days."
  }
}

variable "observed_days" {
  description = "Days that observations are kept: MOVIEQL_OBSERVED_DAYS."
  type        = number
  default     = 32

  validation {
    condition     = var.observed_days >= 2 && var.observed_days <= 400 && floor(var.observed_days) == var.observed_days
    error_message = "Observations are kept 2 to 400 whole days."
  }
}

variable "log_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731 days."
  }
}

variable "images_kept" {
  description = "Images that the registry keeps."
  type        = number
  default     = 20

  validation {
    condition     = var.images_kept >= 2 && var.images_kept <= 1000
    error_message = "The registry keeps 2 to 1,000 images: the one that runs, and one to go back to."
  }
}

variable "daily_export_hour" {
  description = "Hour of the day, in UTC, at which the day before is exported."
  type        = number
  default     = 1

  validation {
    condition     = var.daily_export_hour >= 0 && var.daily_export_hour <= 23 && floor(var.daily_export_hour) == var.daily_export_hour
    error_message = "A day has the hours 0 to 23."
  }
}

# Who is told, and who may deploy

variable "alarm_email" {
  description = "Where alarms are sent to; null for nowhere but the topic."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alarm_email))
    error_message = "This is not an e-mail address."
  }
}

variable "budget_usd" {
  description = "US dollars a month of the whole account, of which an alarm tells at 80 % and when more is forecast."
  type        = number
  default     = 300

  validation {
    condition     = var.budget_usd > 0
    error_message = "A budget is more than nothing."
  }
}

variable "latency_p99_s_max" {
  description = "Seconds that ninety-nine of a hundred answers may take. A question's own budget is 2.5 s."
  type        = number
  default     = 3

  validation {
    condition     = var.latency_p99_s_max > 0 && var.latency_p99_s_max <= 30
    error_message = "The bound is more than 0 and at most 30 s."
  }
}

variable "queue_age_s_max" {
  description = "Seconds that the oldest job may wait."
  type        = number
  default     = 600

  validation {
    condition     = var.queue_age_s_max > 0
    error_message = "The bound is more than 0 s."
  }
}

variable "errors_max" {
  description = "Answers of 5xx in five minutes that are no alarm yet."
  type        = number
  default     = 5

  validation {
    condition     = var.errors_max >= 0
    error_message = "The bound is 0 or more."
  }
}

variable "github" {
  description = "Repository on GitHub (`owner/name`) and its environment whose jobs may deploy; null: none. `provider_arn`: GitHub's OpenID provider, where the account has it already."
  type = object({
    repository   = string
    environment  = optional(string, "production")
    provider_arn = optional(string)
  })
  default = null

  validation {
    condition     = var.github == null || can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.github.repository))
    error_message = "A repository is `owner/name`, without wildcards."
  }
}
