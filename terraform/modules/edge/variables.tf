variable "name" {
  description = "What names start with."
  type        = string
}

variable "place" {
  description = "Account, region and partition."
  type        = object({ account = string, region = string, partition = string })
}

variable "origin" {
  description = "Where requests go: `host` is the name in its certificate; `is_private` says that it is a load balancer inside the VPC, which is `balancer_arn`."
  type        = object({ host = string, is_private = bool, balancer_arn = string })
}

variable "domain" {
  description = "Name that people use; null for CloudFront's own."
  type        = string
}

variable "certificate_arn" {
  description = "Certificate of that name, in us-east-1."
  type        = string
}

variable "logs_bucket_arn" {
  description = "Bucket for access logs."
  type        = string
}

variable "requests_per_five_minutes" {
  description = "Requests from one address in five minutes, above which it is blocked."
  type        = number
}

variable "key_arn" {
  description = "KMS key of logs, in us-east-1."
  type        = string
}

variable "log_days" {
  description = "Days that the web ACL's log is kept."
  type        = number
}
