variable "name" {
  description = "What names start with."
  type        = string
}

variable "place" {
  description = "Account, region and partition."
  type        = object({ account = string, region = string, partition = string })
}

variable "key_arn" {
  description = "KMS key that objects are encrypted with."
  type        = string
}

variable "files_kept_days" {
  description = "Days that files of exports are kept."
  type        = number
}

variable "observed_days" {
  description = "Days that observations are kept."
  type        = number
}

variable "log_days" {
  description = "Days that access logs are kept."
  type        = number
}
