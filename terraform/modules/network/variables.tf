variable "name" {
  description = "What names start with."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC."
  type        = string
}

variable "zones" {
  description = "Availability zones to spread over."
  type        = number
}

variable "nat_per_zone" {
  description = "Whether each zone has a NAT gateway of its own."
  type        = bool
}

variable "log_key_arn" {
  description = "KMS key of the flow logs."
  type        = string
}

variable "log_days" {
  description = "Days that flow logs are kept."
  type        = number
}

variable "partition" {
  description = "AWS partition."
  type        = string
}

variable "store_bucket_arn" {
  description = "The one bucket that may be reached through the S3 endpoint, besides ECR's layers."
  type        = string
}
