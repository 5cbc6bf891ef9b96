# Workers.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name         = "movieql"
  cluster      = { name = "movieql", arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/movieql" }
  task         = { definition_arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/movieql-worker:3", security_group_id = "sg-worker" }
  subnet_ids   = ["subnet-1", "subnet-2"]
  count_min    = 1
  count_max    = 4
  jobs_at_once = 2
  namespace    = "movieql"
}

run "worker" {
  module {
    source = "./modules/worker"
  }

  assert {
    condition     = aws_ecs_service.this.deployment_circuit_breaker[0].rollback && aws_ecs_service.this.deployment_minimum_healthy_percent == 100 && aws_ecs_service.this.network_configuration[0].assign_public_ip == false
    error_message = "A deployment that fails is taken back, and never leaves fewer workers."
  }

  assert {
    condition     = aws_appautoscaling_target.this.min_capacity == 1 && aws_appautoscaling_target.this.max_capacity == 4 && aws_appautoscaling_policy.jobs.target_tracking_scaling_policy_configuration[0].target_value == 2
    error_message = "There is a worker for as many jobs as one runs at once."
  }

  assert {
    condition = toset([for each in aws_appautoscaling_policy.jobs.target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics :
    try(each.metric_stat[0].metric[0].metric_name, each.expression)]) == toset(["JobsWaiting", "JobsRunning", "RunningTaskCount", "(waiting + running) / workers"])
    error_message = "Jobs that run count too, so that no worker is taken away from its job."
  }
}
