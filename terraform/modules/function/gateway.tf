# The HTTP API in front of the function.

resource "aws_cloudwatch_log_group" "gateway" {
  #checkov:skip=CKV_AWS_338: lines are for finding faults; the retention is a variable
  name              = "/${var.name}-gateway"
  retention_in_days = var.log_days
  kms_key_id        = var.key_arn
}

resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  description   = "GraphQL over HTTP, from CloudFront"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "this" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = aws_lambda_function.this.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 30000
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309: reading is open to all; the server itself checks tokens
  api_id             = aws_apigatewayv2_api.this.id
  route_key          = "$default"
  authorization_type = "NONE"
  target             = "integrations/${aws_apigatewayv2_integration.this.id}"
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit    = 20 * var.at_once_max
    throttling_burst_limit   = 2 * var.at_once_max
    detailed_metrics_enabled = true
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.gateway.arn
    format = jsonencode({
      requestId = "$context.requestId"
      ip        = "$context.identity.sourceIp"
      method    = "$context.httpMethod"
      path      = "$context.path"
      status    = "$context.status"
      elapsedMs = "$context.responseLatency"
      error     = "$context.integrationErrorMessage"
    })
  }
}

resource "aws_lambda_permission" "gateway" {
  statement_id  = "HttpApi"
  function_name = aws_lambda_function.this.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/$default"
}

output "host" {
  description = "Host of the HTTP API."
  value       = replace(aws_apigatewayv2_api.this.api_endpoint, "https://", "")
}

output "api_id" {
  description = "What CloudWatch knows the HTTP API by."
  value       = aws_apigatewayv2_api.this.id
}

output "function" {
  description = "Name and ARN of the function."
  value       = { name = "${var.name}-api", arn = aws_lambda_function.this.arn }
}

output "policy" {
  description = "The function's policy, as JSON."
  value       = jsonencode(local.policy)
}
