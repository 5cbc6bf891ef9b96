variable "name" {
  description = "What names start with."
  type        = string
}

variable "cluster" {
  description = "Name and ARN of the ECS cluster."
  type        = object({ name = string, arn = string })
}

variable "task" {
  description = "The task: `definition_arn` and `security_group_id`."
  type        = object({ definition_arn = string, security_group_id = string })
}

variable "vpc_id" {
  description = "Where it is."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "port" {
  description = "Port of the server."
  type        = number
}

variable "certificate_arn" {
  description = "ACM certificate of the load balancer."
  type        = string
}

variable "logs_bucket" {
  description = "Bucket for access logs."
  type        = string
}

variable "count_min" {
  description = "Servers at least."
  type        = number
}

variable "count_max" {
  description = "Servers at most."
  type        = number
}

variable "requests_per_minute" {
  description = "Requests of a server in a minute, above which more are started."
  type        = number
}
