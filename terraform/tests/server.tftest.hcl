# Servers behind the load balancer.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                = "movieql"
  cluster             = { name = "movieql", arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/movieql" }
  task                = { definition_arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/movieql-server:1", security_group_id = "sg-server" }
  vpc_id              = "vpc-1"
  subnet_ids          = ["subnet-1", "subnet-2"]
  port                = 8000
  certificate_arn     = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-1111-1111-1111-111111111111"
  logs_bucket         = "logs"
  count_min           = 2
  count_max           = 6
  requests_per_minute = 3000
}

run "balancer" {
  module {
    source = "./modules/server"
  }

  assert {
    condition     = aws_lb.this.internal && aws_lb.this.drop_invalid_header_fields && aws_lb.this.access_logs[0].enabled
    error_message = "The load balancer is inside, strict, and logged."
  }

  assert {
    condition     = aws_lb_listener.https.protocol == "HTTPS" && aws_lb_listener.https.certificate_arn == var.certificate_arn && startswith(aws_lb_listener.https.ssl_policy, "ELBSecurityPolicy-TLS13")
    error_message = "It speaks TLS, of today."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.cloudfront.prefix_list_id == "pl-cloudfront" && aws_vpc_security_group_ingress_rule.cloudfront.from_port == 443 && aws_vpc_security_group_ingress_rule.cloudfront.to_port == 443
    error_message = "Only CloudFront comes in."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.servers.security_group_id == "sg-server" && aws_vpc_security_group_ingress_rule.servers.from_port == 8000
    error_message = "Only the load balancer reaches servers."
  }

  assert {
    condition     = aws_lb_target_group.this.health_check[0].path == "/healthz"
    error_message = "A server is well when its process is: a shop that fails is no reason."
  }
}

run "service" {
  module {
    source = "./modules/server"
  }

  assert {
    condition     = aws_ecs_service.this.deployment_circuit_breaker[0].enable && aws_ecs_service.this.deployment_circuit_breaker[0].rollback && aws_ecs_service.this.deployment_minimum_healthy_percent == 100
    error_message = "A deployment that fails is taken back, and never leaves fewer servers."
  }

  assert {
    condition     = aws_ecs_service.this.network_configuration[0].assign_public_ip == false
    error_message = "Servers have no address outside."
  }

  assert {
    condition     = aws_appautoscaling_target.this.min_capacity == 2 && aws_appautoscaling_target.this.max_capacity == 6
    error_message = "There are as many servers as was said."
  }

  assert {
    condition = (
      aws_appautoscaling_policy.requests.target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].predefined_metric_type == "ALBRequestCountPerTarget"
      && aws_appautoscaling_policy.requests.target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].resource_label == "app/movieql/1234567890abcdef/targetgroup/movieql/1234567890abcdef"
      && aws_appautoscaling_policy.cpu.target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].predefined_metric_type == "ECSServiceAverageCPUUtilization"
    )
    error_message = "There are more when requests or CPU ask for it."
  }
}
