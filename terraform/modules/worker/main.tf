# Workers, as many as there is to do for.

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

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "count_min" {
  description = "Workers at least."
  type        = number
}

variable "count_max" {
  description = "Workers at most."
  type        = number
}

variable "jobs_at_once" {
  description = "Exports that a worker runs at once."
  type        = number
}

variable "namespace" {
  description = "CloudWatch namespace of the metrics made from log lines."
  type        = string
}

resource "aws_ecs_service" "this" {
  name                          = "${var.name}-worker"
  cluster                       = var.cluster.arn
  task_definition               = var.task.definition_arn
  launch_type                   = "FARGATE"
  platform_version              = "LATEST"
  desired_count                 = var.count_min
  propagate_tags                = "SERVICE"
  enable_ecs_managed_tags       = true
  availability_zone_rebalancing = "ENABLED"

  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.task.security_group_id]
    assign_public_ip = false
  }

  lifecycle {
    ignore_changes = [desired_count] # autoscaling's
  }
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.cluster.name}/${aws_ecs_service.this.name}"
  min_capacity       = var.count_min
  max_capacity       = var.count_max
}

# Jobs that run count too: a worker that is busy must not be taken away because nobody waits.
resource "aws_appautoscaling_policy" "jobs" {
  name               = "${var.name}-jobs"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.jobs_at_once
    scale_out_cooldown = 60
    scale_in_cooldown  = 900

    customized_metric_specification {
      metrics {
        id          = "jobs_per_worker"
        label       = "Jobs per worker"
        expression  = "(waiting + running) / workers"
        return_data = true
      }

      metrics {
        id          = "waiting"
        return_data = false

        metric_stat {
          stat = "Maximum"

          metric {
            namespace   = var.namespace
            metric_name = "JobsWaiting"
          }
        }
      }

      metrics {
        id          = "running"
        return_data = false

        metric_stat {
          stat = "Maximum"

          metric {
            namespace   = var.namespace
            metric_name = "JobsRunning"
          }
        }
      }

      metrics {
        id          = "workers"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "ECS/ContainerInsights"
            metric_name = "RunningTaskCount"

            dimensions {
              name  = "ClusterName"
              value = var.cluster.name
            }

            dimensions {
              name  = "ServiceName"
              value = aws_ecs_service.this.name
            }
          }
        }
      }
    }
  }
}

output "service_arn" {
  description = "ARN of the ECS service."
  value       = aws_ecs_service.this.id
}
