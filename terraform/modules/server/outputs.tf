output "service_arn" {
  description = "ARN of the ECS service."
  value       = aws_ecs_service.this.id
}

output "balancer_arn" {
  description = "The load balancer, once it listens."
  value       = aws_lb.this.arn

  depends_on = [aws_lb_listener.https]
}

output "metric_names" {
  description = "What CloudWatch knows load balancer and targets by."
  value       = { balancer = aws_lb.this.arn_suffix, targets = aws_lb_target_group.this.arn_suffix }
}
