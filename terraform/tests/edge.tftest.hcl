# CloudFront and its web ACL.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                      = "movieql"
  place                     = { account = "123456789012", region = "eu-west-1", partition = "aws" }
  origin                    = { host = "origin.example.org", is_private = true, balancer_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/movieql/1234567890abcdef" }
  domain                    = null
  certificate_arn           = null
  logs_bucket_arn           = "arn:aws:s3:::logs"
  requests_per_five_minutes = 6000
  key_arn                   = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"
  log_days                  = 30
}

run "private_origin" {
  module {
    source = "./modules/edge"
  }

  assert {
    condition     = aws_cloudfront_vpc_origin.balancer[0].vpc_origin_endpoint_config[0].origin_protocol_policy == "https-only" && aws_cloudfront_vpc_origin.balancer[0].vpc_origin_endpoint_config[0].arn == var.origin.balancer_arn
    error_message = "CloudFront reaches the load balancer inside the VPC, by TLS."
  }

  assert {
    condition     = length(tolist(aws_cloudfront_distribution.this.origin)[0].custom_origin_config) == 0 && tolist(aws_cloudfront_distribution.this.origin)[0].domain_name == "origin.example.org"
    error_message = "There is no way by the public internet, and the name is the certificate's."
  }

  assert {
    condition     = aws_cloudfront_distribution.this.default_cache_behavior[0].viewer_protocol_policy == "redirect-to-https" && alltrue([for each in aws_cloudfront_distribution.this.ordered_cache_behavior : each.viewer_protocol_policy == "redirect-to-https"])
    error_message = "HTTP is redirected, everywhere."
  }

  assert {
    condition     = aws_cloudfront_distribution.this.default_cache_behavior[0].origin_request_policy_id == "216adef6-2c7f-47e4-b989-5492eafa07d3"
    error_message = "The server sees the host that was asked for, by which it lets WebSockets in."
  }

  assert {
    condition     = [for each in aws_cloudfront_distribution.this.ordered_cache_behavior : each.path_pattern] == ["/graphql", "/static/*"] && aws_cloudfront_distribution.this.ordered_cache_behavior[0].cache_policy_id == aws_cloudfront_cache_policy.graphql.id && aws_cloudfront_distribution.this.ordered_cache_behavior[0].cached_methods == toset(["GET", "HEAD"])
    error_message = "Answers by GET and files are kept, nothing else."
  }

  assert {
    condition     = aws_cloudfront_cache_policy.graphql.default_ttl == 0 && aws_cloudfront_cache_policy.graphql.min_ttl == 0
    error_message = "How long an answer is kept is the server's to say."
  }

  assert {
    condition     = toset(aws_cloudfront_cache_policy.graphql.parameters_in_cache_key_and_forwarded_to_origin[0].headers_config[0].headers[0].items) == toset(["Accept", "Authorization", "Origin"]) && aws_cloudfront_cache_policy.graphql.parameters_in_cache_key_and_forwarded_to_origin[0].query_strings_config[0].query_string_behavior == "all"
    error_message = "No answer of one caller reaches another."
  }

  assert {
    condition     = aws_cloudfront_distribution.this.web_acl_id == aws_wafv2_web_acl.this.arn && aws_cloudwatch_log_delivery_source.access.log_type == "ACCESS_LOGS"
    error_message = "There is a web ACL, and a log."
  }

  assert {
    condition     = output.host == "d111111abcdef8.cloudfront.net"
    error_message = "Without a domain it is CloudFront's own name."
  }
}

run "firewall" {
  module {
    source = "./modules/edge"
  }

  assert {
    condition     = aws_wafv2_web_acl.this.scope == "CLOUDFRONT" && length(distinct([for rule in jsondecode(aws_wafv2_web_acl.this.rule_json) : rule.Priority])) == length(jsondecode(aws_wafv2_web_acl.this.rule_json))
    error_message = "Rules have an order."
  }

  assert {
    condition     = length(setsubtract(["AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"], [for rule in jsondecode(aws_wafv2_web_acl.this.rule_json) : try(rule.Statement.ManagedRuleGroupStatement.Name, "")])) == 0
    error_message = "AWS's rules are among them."
  }

  assert {
    condition     = [for rule in jsondecode(aws_wafv2_web_acl.this.rule_json) : rule.Statement.RateBasedStatement.Limit if can(rule.Statement.RateBasedStatement.Limit) && can(rule.Action.Block)] == [6000]
    error_message = "An address that asks too much is blocked."
  }

  assert {
    condition     = [for rule in jsondecode(aws_wafv2_web_acl.this.rule_json) : rule.Statement.RegexMatchStatement.RegexString if can(rule.Statement.RegexMatchStatement) && can(rule.Action.Block)] == ["^/metrics"]
    error_message = "Metrics are not for everybody."
  }

  assert {
    condition     = aws_cloudwatch_log_group.firewall.kms_key_id == var.key_arn && startswith(aws_cloudwatch_log_group.firewall.name, "aws-waf-logs-")
    error_message = "What was refused is logged, encrypted."
  }
}

run "public_origin_and_a_domain" {
  module {
    source = "./modules/edge"
  }

  variables {
    origin          = { host = "abc123.execute-api.eu-west-1.amazonaws.com", is_private = false, balancer_arn = null }
    domain          = "movies.example.org"
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-1111-1111-1111-111111111111"
  }

  assert {
    condition     = length(aws_cloudfront_vpc_origin.balancer) == 0 && tolist(aws_cloudfront_distribution.this.origin)[0].custom_origin_config[0].origin_protocol_policy == "https-only"
    error_message = "The HTTP API is reached by TLS."
  }

  assert {
    condition     = aws_cloudfront_distribution.this.default_cache_behavior[0].origin_request_policy_id == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    error_message = "API Gateway answers to its own name only."
  }

  assert {
    condition     = aws_cloudfront_distribution.this.viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021" && aws_cloudfront_distribution.this.aliases == toset(["movies.example.org"]) && output.host == "movies.example.org"
    error_message = "People use the domain, by TLS of today."
  }
}
