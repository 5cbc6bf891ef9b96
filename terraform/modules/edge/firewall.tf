# What is refused before it reaches the server.

locals {
  rules = [
    # Metrics are for us. The server answers them to all who reach it, as Prometheus wants.
    {
      Name     = "MetricsAreOurs"
      Priority = 0
      Action   = { Block = {} }
      Statement = { RegexMatchStatement = {
        RegexString  = "^/metrics"
        FieldToMatch = { UriPath = {} }
        TextTransformations = [
          { Priority = 0, Type = "URL_DECODE" },
          { Priority = 1, Type = "NORMALIZE_PATH" },
          { Priority = 2, Type = "LOWERCASE" },
        ]
      } }
    },
    {
      Name     = "TooManyFromOneAddress"
      Priority = 10
      Action   = { Block = {} }
      Statement = { RateBasedStatement = {
        AggregateKeyType    = "IP"
        Limit               = var.requests_per_five_minutes
        EvaluationWindowSec = 300
      } }
    },
    {
      Name           = "CommonRules"
      Priority       = 20
      OverrideAction = { None = {} }
      Statement = { ManagedRuleGroupStatement = {
        VendorName = "AWS"
        Name       = "AWSManagedRulesCommonRuleSet"
        # Queries have up to 100 kB, which the server bounds; this rule stops them at 8 kB.
        RuleActionOverrides = [{ Name = "SizeRestrictions_BODY", ActionToUse = { Count = {} } }]
      } }
    },
    {
      Name           = "KnownBadInputs"
      Priority       = 30
      OverrideAction = { None = {} }
      Statement      = { ManagedRuleGroupStatement = { VendorName = "AWS", Name = "AWSManagedRulesKnownBadInputsRuleSet" } }
    },
    {
      Name           = "AddressesOfBadRepute"
      Priority       = 40
      OverrideAction = { None = {} }
      Statement      = { ManagedRuleGroupStatement = { VendorName = "AWS", Name = "AWSManagedRulesAmazonIpReputationList" } }
    },
  ]
}

resource "aws_wafv2_web_acl" "this" {
  #checkov:skip=CKV_AWS_175: there are rules, which are JSON
  #checkov:skip=CKV_AWS_192: the rule set against Log4j is among the rules, which are JSON
  name        = var.name
  description = "In front of ${var.name}"
  scope       = "CLOUDFRONT"

  # As JSON, in the words of the API: a rule's statement may hold statements without end.
  rule_json = jsonencode([for rule in local.rules : merge(rule, {
    VisibilityConfig = {
      MetricName               = rule.Name
      CloudWatchMetricsEnabled = true
      SampledRequestsEnabled   = true
    }
  })])

  default_action {
    allow {}
  }

  visibility_config {
    metric_name                = var.name
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = true
  }
}

resource "aws_cloudwatch_log_group" "firewall" {
  #checkov:skip=CKV_AWS_338: lines are for finding faults; the retention is a variable
  name              = "aws-waf-logs-${var.name}" # AWS wants names that start so
  retention_in_days = var.log_days
  kms_key_id        = var.key_arn
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.firewall.arn]

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  # Only what was refused or would be: the rest is in CloudFront's own log.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }

      condition {
        action_condition {
          action = "COUNT"
        }
      }
    }
  }
}
