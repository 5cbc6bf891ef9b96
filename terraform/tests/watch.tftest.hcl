# Alarms, and what they are made from.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name       = "movieql"
  place      = { account = "123456789012", region = "eu-west-1", partition = "aws" }
  namespace  = "movieql"
  key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
  email      = "ops@example.org"
  budget_usd = 250
  log_groups = { server = "/movieql-server", worker = "/movieql-worker" }
  api = {
    latency = { namespace = "AWS/ApplicationELB", name = "TargetResponseTime", dimensions = { LoadBalancer = "app/movieql/1" }, p99_max = 3 }
    absent  = { namespace = "AWS/ApplicationELB", name = "HealthyHostCount", dimensions = { LoadBalancer = "app/movieql/1" }, statistic = "Maximum", comparison = "LessThanThreshold", threshold = 1, missing = "breaching" }
  }
  queue_members   = ["movieql-queue-001", "movieql-queue-002"]
  failed_queue    = "movieql-daily-export-failed"
  queue_age_s_max = 600
  errors_max      = 5
}

run "alarms" {
  module {
    source = "./modules/watch"
  }

  assert {
    condition     = alltrue([for name, each in aws_cloudwatch_metric_alarm.this : contains(each.alarm_actions, aws_sns_topic.alarms.arn) && strcontains(each.alarm_description, "docs/runbook.md#${name}") && each.alarm_name == "movieql-${name}"])
    error_message = "Every alarm tells somebody, and where to read what to do."
  }

  assert {
    condition     = toset([for name, each in aws_cloudwatch_metric_alarm.this : name if each.treat_missing_data == "breaching"]) == toset(["no-server", "no-worker", "daily-export-missing"])
    error_message = "Where silence is the fault, silence is an alarm."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["slow"].extended_statistic == "p99" && aws_cloudwatch_metric_alarm.this["slow"].threshold == 3
    error_message = "Latency is that of one in a hundred."
  }

  assert {
    condition = alltrue([for each in aws_cloudwatch_metric_alarm.this :
    each.namespace != var.namespace || contains([for filter in aws_cloudwatch_log_metric_filter.this : filter.metric_transformation[0].name], each.metric_name)])
    error_message = "Every metric of ours that an alarm looks at is made from some line."
  }
}

run "lines" {
  module {
    source = "./modules/watch"
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.this["waiting"].pattern == "{ $.event = \"queue depth\" }" && aws_cloudwatch_log_metric_filter.this["waiting"].metric_transformation[0].value == "$.waiting"
    error_message = "The keeper's line of each minute says how much waits."
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.this["server-breakers"].pattern == "{ $.event = \"breaker\" && $.state = \"open\" }"
    error_message = "A breaker that opens is a shop that is down."
  }

  assert {
    condition     = alltrue([for each in aws_cloudwatch_log_metric_filter.this : contains(["/movieql-server", "/movieql-worker"], each.log_group_name)])
    error_message = "Lines are those of servers and workers."
  }
}

run "topic_and_budget" {
  module {
    source = "./modules/watch"
  }

  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == var.key_arn && aws_sns_topic_subscription.email[0].endpoint == "ops@example.org"
    error_message = "Alarms are encrypted, and sent."
  }

  assert {
    condition     = aws_budgets_budget.month.limit_amount == "250" && toset([for each in aws_budgets_budget.month.notification : each.notification_type]) == toset(["ACTUAL", "FORECASTED"])
    error_message = "Spending is told before it is too much."
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 9
    error_message = "There is one page that says how it is."
  }
}

run "nobody_to_tell" {
  module {
    source = "./modules/watch"
  }

  variables {
    email = null
  }

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 0
    error_message = "Without an address nobody is subscribed."
  }
}
