variable "name" {
  description = "What names start with."
  type        = string
}

variable "place" {
  description = "Account, region and partition."
  type        = object({ account = string, region = string, partition = string })
}

variable "namespace" {
  description = "CloudWatch namespace of the metrics made from log lines."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the topic."
  type        = string
}

variable "email" {
  description = "Where alarms are sent to; null for nowhere."
  type        = string
}

variable "budget_usd" {
  description = "US dollars a month of the whole account, of which an alarm tells at 80 % and when more is forecast."
  type        = number
}

variable "log_groups" {
  description = "Log groups of servers and of workers."
  type        = object({ server = string, worker = string })
}

variable "api" {
  description = "How the API runs: its latency's metric, and the metric that is not 0 when nobody serves."
  type = object({
    latency = object({ namespace = string, name = string, dimensions = map(string), p99_max = number })
    absent  = object({ namespace = string, name = string, dimensions = map(string), statistic = string, comparison = string, threshold = number, missing = string })
  })
}

variable "queue_members" {
  description = "Ids of the nodes of the queue's Valkey."
  type        = list(string)
}

variable "failed_queue" {
  description = "Name of the queue of daily exports that could not be started."
  type        = string
}

variable "queue_age_s_max" {
  description = "Seconds that the oldest job may wait."
  type        = number
}

variable "errors_max" {
  description = "Answers of 5xx in five minutes."
  type        = number
}
