output "definition_arn" {
  description = "The task definition, null without an image."
  value       = one(aws_ecs_task_definition.this[*].arn)
}

output "role_arns" {
  description = "Roles that whoever starts the task has to pass."
  value       = [aws_iam_role.execution.arn, aws_iam_role.task.arn]
}

output "security_group_id" {
  description = "Its security group."
  value       = aws_security_group.this.id
}

output "log_group" {
  description = "Where its lines go."
  value       = aws_cloudwatch_log_group.this.name
}

output "container" {
  description = "What runs, as JSON."
  value       = jsonencode(local.container)
}

output "policies" {
  description = "Policies of Fargate's role and of the task's own, as JSON."
  value       = { execution = jsonencode(local.execution_policy), task = jsonencode(local.task_policy) }
}
