# CloudFront in front of the server: keeps whole answers as long as the server says, and files of
# pages for a year; everything else passes. All of it is made in us-east-1, where CloudFront looks.

locals {
  # Policies that AWS keeps, by their fixed ids.
  caching_disabled       = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
  caching_optimized      = "658327ea-f89d-4fab-a63d-7e88639e58f6"
  all_viewer             = "216adef6-2c7f-47e4-b989-5492eafa07d3"
  all_viewer_except_host = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

  # WebSockets are welcome from pages of their own host only, so the server has to see which one
  # was asked for. API Gateway answers to its own name only.
  origin_request_policy = var.origin.is_private ? local.all_viewer : local.all_viewer_except_host
  all_methods           = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
}

resource "aws_cloudfront_vpc_origin" "balancer" {
  count = var.origin.is_private ? 1 : 0

  vpc_origin_endpoint_config {
    name                   = var.name
    arn                    = var.origin.balancer_arn
    http_port              = 80
    https_port             = 443
    origin_protocol_policy = "https-only"

    origin_ssl_protocols {
      items    = ["TLSv1.2"]
      quantity = 1
    }
  }
}

# The time that an answer is kept is what the server's Cache-Control says, and none without it.
# With a token it is part of the key, so no answer of one caller reaches another, and the server's
# `private` keeps them from being kept at all. By POST nothing is kept.
resource "aws_cloudfront_cache_policy" "graphql" {
  name        = "${var.name}-graphql"
  comment     = "GET /graphql: by query string, media type and caller"
  min_ttl     = 0
  default_ttl = 0
  max_ttl     = 300

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_gzip   = true
    enable_accept_encoding_brotli = true

    query_strings_config {
      query_string_behavior = "all"
    }

    headers_config {
      header_behavior = "whitelist"

      headers {
        items = ["Accept", "Authorization", "Origin"]
      }
    }

    cookies_config {
      cookie_behavior = "none"
    }
  }
}

resource "aws_cloudfront_response_headers_policy" "tls" {
  #checkov:skip=CKV_AWS_259: it is enforced; names below the domain may be of others, so not for them
  name = "${var.name}-tls"

  security_headers_config {
    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = false
      override                   = true
    }
  }
}

resource "aws_cloudfront_distribution" "this" {
  #checkov:skip=CKV_AWS_86: access is logged by the newer log delivery, below
  #checkov:skip=CKV_AWS_174: CloudFront's own name allows no other minimum; a domain's is TLS 1.2
  #checkov:skip=CKV_AWS_305: the server answers the root itself
  #checkov:skip=CKV_AWS_310: there is one origin, which is in several zones
  #checkov:skip=CKV_AWS_374: customers are everywhere
  #checkov:skip=CKV2_AWS_47: the rules against Log4j are among the web ACL's, which are JSON
  #checkov:skip=CKV2_AWS_42: the domain is optional
  comment         = var.name
  enabled         = true
  is_ipv6_enabled = true
  http_version    = "http2and3"
  price_class     = "PriceClass_All"
  aliases         = var.domain == null ? [] : [var.domain]
  web_acl_id      = aws_wafv2_web_acl.this.arn

  origin {
    origin_id   = "server"
    domain_name = var.origin.host

    dynamic "vpc_origin_config" {
      for_each = aws_cloudfront_vpc_origin.balancer

      content {
        vpc_origin_id            = vpc_origin_config.value.id
        origin_read_timeout      = 60
        origin_keepalive_timeout = 60
      }
    }

    dynamic "custom_origin_config" {
      for_each = var.origin.is_private ? [] : [true]

      content {
        http_port                = 80
        https_port               = 443
        origin_protocol_policy   = "https-only"
        origin_ssl_protocols     = ["TLSv1.2"]
        origin_read_timeout      = 60
        origin_keepalive_timeout = 60
      }
    }
  }

  default_cache_behavior {
    target_origin_id           = "server"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = local.all_methods
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.caching_disabled
    origin_request_policy_id   = local.origin_request_policy
    response_headers_policy_id = aws_cloudfront_response_headers_policy.tls.id
  }

  ordered_cache_behavior {
    path_pattern               = "/graphql"
    target_origin_id           = "server"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = local.all_methods
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = aws_cloudfront_cache_policy.graphql.id
    origin_request_policy_id   = local.origin_request_policy
    response_headers_policy_id = aws_cloudfront_response_headers_policy.tls.id
  }

  ordered_cache_behavior {
    path_pattern               = "/static/*"
    target_origin_id           = "server"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.tls.id
  }

  viewer_certificate {
    cloudfront_default_certificate = var.domain == null
    acm_certificate_arn            = var.domain == null ? null : var.certificate_arn
    ssl_support_method             = var.domain == null ? null : "sni-only"
    minimum_protocol_version       = var.domain == null ? "TLSv1" : "TLSv1.2_2021"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }
}

resource "aws_cloudwatch_log_delivery_source" "access" {
  name         = "${var.name}-access"
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.this.arn
}

resource "aws_cloudwatch_log_delivery_destination" "access" {
  name          = "${var.name}-access"
  output_format = "json"

  delivery_destination_configuration {
    destination_resource_arn = var.logs_bucket_arn
  }
}

resource "aws_cloudwatch_log_delivery" "access" {
  delivery_source_name     = aws_cloudwatch_log_delivery_source.access.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.access.arn
}

output "host" {
  description = "Name at which the application is reached."
  value       = coalesce(var.domain, aws_cloudfront_distribution.this.domain_name)
}

output "cloudfront_host" {
  description = "CloudFront's own name, which a domain has to point to."
  value       = aws_cloudfront_distribution.this.domain_name
}
