# Every alarm has a section of its name in docs/runbook.md, which a test holds.

locals {
  ours = { namespace = var.namespace, dimensions = {}, statistic = "Sum", comparison = "GreaterThanThreshold", period_s = 300, periods = 1, missing = "notBreaching" }

  alarms = {
    "errors" = merge(local.ours, {
      text      = "More than ${var.errors_max} answers of 5xx in five minutes"
      metric    = "Errors"
      threshold = var.errors_max
    })
    "faults" = merge(local.ours, {
      text      = "A fault of ours was caught: a bug"
      metric    = "Faults"
      threshold = 0
    })
    "slow" = merge(local.ours, {
      text       = "One in a hundred answers takes too long, for a quarter of an hour"
      namespace  = var.api.latency.namespace
      metric     = var.api.latency.name
      dimensions = var.api.latency.dimensions
      statistic  = "p99"
      threshold  = var.api.latency.p99_max
      periods    = 3
    })
    "no-server" = merge(local.ours, {
      text       = "Nobody answers, or requests are turned away"
      namespace  = var.api.absent.namespace
      metric     = var.api.absent.name
      dimensions = var.api.absent.dimensions
      statistic  = var.api.absent.statistic
      comparison = var.api.absent.comparison
      threshold  = var.api.absent.threshold
      missing    = var.api.absent.missing
      period_s   = 60
      periods    = 3
    })
    "provider-down" = merge(local.ours, {
      text      = "A shop's breaker keeps opening, for a quarter of an hour"
      metric    = "BreakersOpened"
      threshold = 0
      periods   = 3
    })
    "queue-age" = merge(local.ours, {
      text      = "The oldest job waits too long"
      metric    = "QueueAge"
      statistic = "Maximum"
      threshold = var.queue_age_s_max
      periods   = 2
    })
    "queue-memory" = merge(local.ours, {
      text       = "The queue's Valkey is filling up; when it is full it refuses writes"
      namespace  = "AWS/ElastiCache"
      metric     = "DatabaseMemoryUsagePercentage"
      dimensions = { CacheClusterId = var.queue_members[0] }
      statistic  = "Maximum"
      threshold  = 75
      periods    = 3
    })
    "no-worker" = merge(local.ours, {
      text       = "No worker keeps house: its line of each minute is missing"
      metric     = "JobsWaiting"
      statistic  = "SampleCount"
      comparison = "LessThanThreshold"
      threshold  = 1
      missing    = "breaching"
    })
    "worker-restarts" = merge(local.ours, {
      text      = "Processes of workers keep ending by themselves"
      metric    = "WorkerRestarts"
      threshold = 3
      periods   = 2
    })
    "export-failed" = merge(local.ours, {
      text      = "An export failed for good"
      metric    = "ExportsFailed"
      threshold = 0
    })
    "daily-export-missing" = merge(local.ours, {
      text       = "No export at all became ready in a day, so the day's did not either"
      metric     = "ExportsReady"
      comparison = "LessThanThreshold"
      threshold  = 1
      period_s   = 86400
      missing    = "breaching"
    })
    "daily-export-not-started" = merge(local.ours, {
      text       = "The task that asks for the day's export could not be started"
      namespace  = "AWS/SQS"
      metric     = "ApproximateNumberOfMessagesVisible"
      dimensions = { QueueName = var.failed_queue }
      statistic  = "Maximum"
      threshold  = 0
    })
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.text}. docs/runbook.md#${each.key}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic == "p99" ? null : each.value.statistic
  extended_statistic  = each.value.statistic == "p99" ? "p99" : null
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = each.value.period_s
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
