output "url" {
  description = "Where clients connect, without a password."
  value       = "rediss://${aws_elasticache_replication_group.this.primary_endpoint_address}:6379/0"
}

output "id" {
  description = "Id of the replication group, for which tokens are made."
  value       = var.name

  depends_on = [aws_elasticache_replication_group.this]
}

output "members" {
  description = "Ids of its nodes."
  value       = [for number in range(var.nodes) : format("%s-%03d", var.name, number + 1)]
}

output "users" {
  description = "Ids of users, by who they are."
  value       = { for who, each in aws_elasticache_user.iam : who => each.user_id }
}

output "statements" {
  description = "What lets each user sign in."
  value = {
    for who, _ in var.users : who => [{
      Effect = "Allow"
      Action = "elasticache:Connect"
      Resource = [
        "arn:${var.place.partition}:elasticache:${var.place.region}:${var.place.account}:replicationgroup:${var.name}",
        "arn:${var.place.partition}:elasticache:${var.place.region}:${var.place.account}:user:${var.name}-${who}",
      ]
    }]
  }
}

output "parameters" {
  description = "Parameters of Valkey that are not the default."
  value       = { for each in aws_elasticache_parameter_group.this.parameter : each.name => each.value }
}
