# A task of Fargate: what runs, with which secrets, and where its lines go.

locals {
  container = {
    name                   = "movieql"
    image                  = var.image
    essential              = true
    entryPoint             = ["movieql"]
    command                = var.command
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    stopTimeout            = var.stop_s
    environment            = [for name in sort(keys(var.environment)) : { name = name, value = var.environment[name] }]
    secrets                = [for name in sort(keys(var.secret_arns)) : { name = name, valueFrom = var.secret_arns[name] }]
    portMappings           = var.port == null ? [] : [{ containerPort = var.port, hostPort = var.port, protocol = "tcp" }]
    linuxParameters = {
      initProcessEnabled = true
      capabilities       = { drop = ["ALL"] }
      # The only place that the container may write to.
      tmpfs = [{ containerPath = "/tmp", size = var.scratch_mib, mountOptions = ["rw", "nosuid", "nodev", "noexec"] }]
    }
    healthCheck = var.health_command == null ? null : {
      command     = var.health_command
      interval    = 15
      timeout     = 5
      retries     = 3
      startPeriod = 30
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = var.place.region
        awslogs-stream-prefix = "movieql"
      }
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338: lines are for finding faults; the retention is a variable
  name              = "/${var.name}"
  retention_in_days = var.log_days
  kms_key_id        = var.key_arn
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5: the service, the schedule or the function that runs the task attaches it
  name        = var.name
  description = "What ${var.name} reaches, and who reaches it"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "outside" {
  for_each = toset([for port in var.egress_ports : tostring(port)])

  security_group_id = aws_security_group.this.id
  description       = "Shops, and AWS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
}

resource "aws_vpc_security_group_egress_rule" "valkey" {
  security_group_id = aws_security_group.this.id
  description       = "Queue and cache"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = 6379
  to_port           = 6379
}

resource "aws_ecs_task_definition" "this" {
  count = var.image == null ? 0 : 1

  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory_mib
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode([{ for key, value in local.container : key => value if value != null }])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }
}
