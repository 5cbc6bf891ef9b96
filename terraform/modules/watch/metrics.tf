# Numbers out of log lines (docs/operations.md says which lines there are).

locals {
  filters = {
    errors            = { group = "server", metric = "Errors", pattern = "{ $.event = \"request\" && $.status >= 500 }", value = "1", unit = "Count" }
    requests          = { group = "server", metric = "Requests", pattern = "{ $.event = \"request\" }", value = "1", unit = "Count" }
    server-faults     = { group = "server", metric = "Faults", pattern = "{ $.event = \"fault of ours\" }", value = "1", unit = "Count" }
    worker-faults     = { group = "worker", metric = "Faults", pattern = "{ $.event = \"fault of ours\" }", value = "1", unit = "Count" }
    server-breakers   = { group = "server", metric = "BreakersOpened", pattern = "{ $.event = \"breaker\" && $.state = \"open\" }", value = "1", unit = "Count" }
    worker-breakers   = { group = "worker", metric = "BreakersOpened", pattern = "{ $.event = \"breaker\" && $.state = \"open\" }", value = "1", unit = "Count" }
    provider-failures = { group = "server", metric = "ProviderFailures", pattern = "{ $.event = \"provider failed\" }", value = "1", unit = "Count" }
    waiting           = { group = "worker", metric = "JobsWaiting", pattern = "{ $.event = \"queue depth\" }", value = "$.waiting", unit = "Count" }
    running           = { group = "worker", metric = "JobsRunning", pattern = "{ $.event = \"queue depth\" }", value = "$.running", unit = "Count" }
    age               = { group = "worker", metric = "QueueAge", pattern = "{ $.event = \"queue depth\" }", value = "$.age_s", unit = "Seconds" }
    restarts          = { group = "worker", metric = "WorkerRestarts", pattern = "{ $.event = \"process\" && ($.event_ = \"killed\" || ($.event_ = \"ended\" && $.number != 0)) }", value = "1", unit = "Count" }
    exports-ready     = { group = "worker", metric = "ExportsReady", pattern = "{ $.event = \"export ended\" && ($.status = \"ready\" || $.status = \"partial\") }", value = "1", unit = "Count" }
    exports-failed    = { group = "worker", metric = "ExportsFailed", pattern = "{ $.event = \"export ended\" && $.status = \"failed\" }", value = "1", unit = "Count" }
  }
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = local.filters

  name           = "${var.name}-${each.key}"
  log_group_name = var.log_groups[each.value.group]
  pattern        = each.value.pattern

  metric_transformation {
    namespace = var.namespace
    name      = each.value.metric
    value     = each.value.value
    unit      = each.value.unit
  }
}
