# What a container may and knows.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name           = "movieql-server"
  place          = { account = "123456789012", region = "eu-west-1", partition = "aws" }
  vpc_id         = "vpc-1"
  vpc_cidr       = "10.40.0.0/16"
  egress_ports   = [443]
  image          = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/movieql:1.0.0"
  command        = ["serve"]
  cpu            = 512
  memory_mib     = 1024
  scratch_mib    = 64
  architecture   = "X86_64"
  environment    = { MOVIEQL_HOST = "0.0.0.0" }
  secret_arns    = { CINEMAWORLD_TOKEN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:movieql/CINEMAWORLD_TOKEN-abcdef" }
  statements     = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::store/*" }]
  port           = 8000
  health_command = ["CMD", "python", "-c", "pass"]
  stop_s         = 45
  repository_arn = "arn:aws:ecr:eu-west-1:123456789012:repository/movieql"
  key_arn        = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
  log_days       = 30
}

run "container" {
  module {
    source = "./modules/task"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].readonlyRootFilesystem && jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].user == "10001:10001"
    error_message = "It is not root, and writes nowhere."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].linuxParameters.tmpfs == [{ containerPath = "/tmp", size = 64, mountOptions = ["rw", "nosuid", "nodev", "noexec"] }]
    error_message = "It writes to /tmp only, which runs nothing."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"]
    error_message = "It has no capabilities."
  }

  assert {
    condition     = jsonencode(jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].secrets) == jsonencode([{ name = "CINEMAWORLD_TOKEN", valueFrom = var.secret_arns.CINEMAWORLD_TOKEN }])
    error_message = "A secret comes by reference."
  }

  assert {
    condition     = jsonencode(jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].environment) == jsonencode([{ name = "MOVIEQL_HOST", value = "0.0.0.0" }])
    error_message = "No secret is in plain sight."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].healthCheck.command == ["CMD", "python", "-c", "pass"] && jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].stopTimeout == 45
    error_message = "It is asked how it is, and gets its time to end."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].logConfiguration.logDriver == "awslogs" && aws_cloudwatch_log_group.this.kms_key_id == var.key_arn && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "Lines are kept, encrypted, for a time."
  }

  assert {
    condition     = toset([for each in aws_vpc_security_group_egress_rule.outside : each.from_port]) == toset([443]) && aws_vpc_security_group_egress_rule.valkey.cidr_ipv4 == "10.40.0.0/16"
    error_message = "It reaches shops and AWS by HTTPS, and Valkey inside."
  }
}

run "roles" {
  module {
    source = "./modules/task"
  }

  assert {
    condition     = [for each in jsondecode(aws_iam_role_policy.execution.policy).Statement : each.Action if contains(flatten([each.Resource]), "*")] == ["ecr:GetAuthorizationToken"]
    error_message = "Fargate's role names every resource but the registry's door, which has no name."
  }

  assert {
    condition     = jsonencode([for each in jsondecode(aws_iam_role_policy.execution.policy).Statement : each.Resource if each.Sid == "ReadSecrets"]) == jsonencode([values(var.secret_arns)])
    error_message = "Fargate's role reads the secrets of this task and no other."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.task.policy, "secretsmanager") && !strcontains(aws_iam_role_policy.task.policy, "\"*\"")
    error_message = "The task itself reads no secrets."
  }

  assert {
    condition     = jsondecode(aws_iam_role.task.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "Only our own tasks take the role."
  }
}

run "without_secrets_none_are_read" {
  module {
    source = "./modules/task"
  }

  variables {
    secret_arns = {}
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.execution.policy, "secretsmanager")
    error_message = "A role that needs no secret reads none."
  }
}

run "without_an_image_nothing_runs" {
  module {
    source = "./modules/task"
  }

  variables {
    image = null
  }

  assert {
    condition     = length(aws_ecs_task_definition.this) == 0 && output.definition_arn == null
    error_message = "There is nothing to run yet."
  }
}
