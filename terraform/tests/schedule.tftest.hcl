# The day's export.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name        = "movieql"
  place       = { account = "123456789012", region = "eu-west-1", partition = "aws" }
  cluster_arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/movieql"
  task = {
    definition_arn    = "arn:aws:ecs:eu-west-1:123456789012:task-definition/movieql-daily-export:3"
    security_group_id = "sg-export"
    role_arns         = ["arn:aws:iam::123456789012:role/movieql-daily-export", "arn:aws:iam::123456789012:role/movieql-daily-export-execution"]
  }
  subnet_ids = ["subnet-1", "subnet-2"]
  hour       = 1
  key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
}

run "schedule" {
  module {
    source = "./modules/schedule"
  }

  assert {
    condition     = aws_scheduler_schedule.this.schedule_expression == "cron(5 1 * * ? *)" && aws_scheduler_schedule.this.schedule_expression_timezone == "UTC"
    error_message = "It is asked for once a day."
  }

  assert {
    condition     = aws_scheduler_schedule.this.target[0].retry_policy[0].maximum_retry_attempts == 10 && aws_scheduler_schedule.this.target[0].dead_letter_config[0].arn == aws_sqs_queue.failed.arn
    error_message = "What fails is tried again, and then told."
  }

  assert {
    condition     = aws_scheduler_schedule.this.target[0].ecs_parameters[0].task_definition_arn == "arn:aws:ecs:eu-west-1:123456789012:task-definition/movieql-daily-export"
    error_message = "It runs the latest revision."
  }

  assert {
    condition     = !anytrue([for each in jsondecode(aws_iam_role_policy.this.policy).Statement : contains(flatten([each.Resource]), "*")]) && [for each in jsondecode(aws_iam_role_policy.this.policy).Statement : join(",", each.Resource) if each.Sid == "PassItsRoles"] == [join(",", var.task.role_arns)]
    error_message = "The scheduler runs this task in this cluster, and passes its two roles."
  }

  assert {
    condition     = [for each in jsondecode(aws_iam_role_policy.this.policy).Statement : each.Condition.ArnEquals["ecs:cluster"] if each.Sid == "RunTheTask"] == [var.cluster_arn]
    error_message = "It runs nowhere else."
  }

  assert {
    condition     = aws_sqs_queue.failed.kms_master_key_id == var.key_arn
    error_message = "What failed is encrypted."
  }
}
