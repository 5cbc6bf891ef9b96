variable "name" {
  description = "Id of the replication group."
  type        = string
}

variable "description" {
  description = "What it is for."
  type        = string
}

variable "place" {
  description = "Account, region and partition."
  type        = object({ account = string, region = string, partition = string })
}

variable "vpc_id" {
  description = "Where it is."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of two zones or more."
  type        = list(string)
}

variable "node_type" {
  description = "Size of a node."
  type        = string
}

variable "nodes" {
  description = "Nodes, the primary included."
  type        = number
}

variable "parameters" {
  description = "Parameters of Valkey."
  type        = map(string)
}

variable "snapshot_days" {
  description = "Days that daily snapshots are kept; 0 makes none."
  type        = number
}

variable "key_arn" {
  description = "KMS key that disks and snapshots are encrypted with."
  type        = string
}

variable "users" {
  description = "Who may sign in by IAM, each with what it may do (a Valkey access string)."
  type        = map(string)
}

variable "clients" {
  description = "Security groups that may connect, by who they are."
  type        = map(string)
}
