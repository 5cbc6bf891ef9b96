variable "name" {
  description = "What names start with."
  type        = string
}

variable "place" {
  description = "Account, region and partition."
  type        = object({ account = string, region = string, partition = string })
}

variable "image" {
  description = "Image, in a registry of ECR."
  type        = string
}

variable "architecture" {
  description = "X86_64 or ARM64, as the image is."
  type        = string
}

variable "memory_mib" {
  description = "Memory in MiB; CPU comes with it."
  type        = number
}

variable "at_once_max" {
  description = "Requests at once, at most; this many are reserved."
  type        = number
}

variable "environment" {
  description = "Environment variables that are no secrets."
  type        = map(string)
}

variable "secret_arns" {
  description = "ARN of the secret of each environment variable that is one."
  type        = map(string)
}

variable "statements" {
  description = "What the function itself may do."
  type        = any
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "security_group_id" {
  description = "Security group of the function."
  type        = string
}

variable "log_group" {
  description = "Where its lines go."
  type        = string
}

variable "key_arn" {
  description = "KMS key of secrets, environment and logs."
  type        = string
}

variable "log_days" {
  description = "Days that access logs are kept."
  type        = number
}
