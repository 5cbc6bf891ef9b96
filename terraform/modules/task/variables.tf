variable "name" {
  description = "Name of the task, of its roles and of its log group."
  type        = string
}

variable "place" {
  description = "Account, region and partition."
  type        = object({ account = string, region = string, partition = string })
}

variable "vpc_id" {
  description = "Where it runs."
  type        = string
}

variable "vpc_cidr" {
  description = "Addresses inside."
  type        = string
}

variable "egress_ports" {
  description = "TCP ports outside that it may reach."
  type        = list(number)
}

variable "image" {
  description = "Image; null makes everything but the task definition."
  type        = string
}

variable "command" {
  description = "Arguments of `movieql`."
  type        = list(string)
}

variable "cpu" {
  description = "CPU units; 1,024 are a vCPU."
  type        = number
}

variable "memory_mib" {
  description = "Memory in MiB."
  type        = number
}

variable "scratch_mib" {
  description = "MiB of the memory that files in /tmp may take."
  type        = number
}

variable "architecture" {
  description = "X86_64 or ARM64, as the image is."
  type        = string
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
  description = "What the task itself may do."
  type        = any
}

variable "port" {
  description = "Port that it listens on; null for none."
  type        = number
  default     = null
}

variable "health_command" {
  description = "What tells whether the container is well; null for none."
  type        = list(string)
  default     = null
}

variable "stop_s" {
  description = "Seconds that it may take to end before it is killed."
  type        = number
}

variable "repository_arn" {
  description = "Where its image comes from."
  type        = string
}

variable "key_arn" {
  description = "KMS key of secrets and logs."
  type        = string
}

variable "log_days" {
  description = "Days that logs are kept."
  type        = number
}
