# One page that says how it is.

locals {
  api_dimensions = flatten([for name, value in var.api.latency.dimensions : [name, value]])

  charts = [
    { title = "Requests and errors", stat = "Sum", series = [[var.namespace, "Requests"], [var.namespace, "Errors"]] },
    { title = "Latency of one in a hundred", stat = "p99", series = [concat([var.api.latency.namespace, var.api.latency.name], local.api_dimensions)] },
    { title = "Shops", stat = "Sum", series = [[var.namespace, "ProviderFailures"], [var.namespace, "BreakersOpened"]] },
    { title = "Jobs", stat = "Maximum", series = [[var.namespace, "JobsWaiting"], [var.namespace, "JobsRunning"]] },
    { title = "Age of the oldest job, s", stat = "Maximum", series = [[var.namespace, "QueueAge"]] },
    { title = "Exports", stat = "Sum", series = [[var.namespace, "ExportsReady"], [var.namespace, "ExportsFailed"]] },
    { title = "Memory of the queue, %", stat = "Maximum", series = [for member in var.queue_members : ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId", member]] },
    { title = "What should not be", stat = "Sum", series = [[var.namespace, "Faults"], [var.namespace, "WorkerRestarts"]] },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type       = "alarm"
        x          = 0
        y          = 0
        width      = 24
        height     = 3
        properties = { title = "Alarms", alarms = [for each in aws_cloudwatch_metric_alarm.this : each.arn] }
      }],
      [for place, chart in local.charts : {
        type   = "metric"
        x      = place % 2 * 12
        y      = 3 + floor(place / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = chart.title
          region  = var.place.region
          stat    = chart.stat
          period  = 300
          metrics = chart.series
        }
      }],
    )
  })
}
