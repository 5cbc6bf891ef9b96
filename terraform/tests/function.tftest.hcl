# The server as a function.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name              = "movieql"
  place             = { account = "123456789012", region = "eu-west-1", partition = "aws" }
  image             = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/movieql:1.0.0"
  architecture      = "ARM64"
  memory_mib        = 1769
  at_once_max       = 50
  environment       = { MOVIEQL_STORE_BUCKET = "store" }
  secret_arns       = { MOVIEQL_JWT_SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:movieql/MOVIEQL_JWT_SECRET-abcdef" }
  statements        = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::store/*" }]
  subnet_ids        = ["subnet-1", "subnet-2"]
  security_group_id = "sg-server"
  log_group         = "/movieql-server"
  key_arn           = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
  log_days          = 30
}

run "function" {
  module {
    source = "./modules/function"
  }

  assert {
    condition     = aws_lambda_function.this.package_type == "Image" && aws_lambda_function.this.image_config[0].entry_point == tolist(["movieql"]) && aws_lambda_function.this.image_config[0].command == tolist(["lambda"])
    error_message = "It is the same image, with another command."
  }

  assert {
    condition     = aws_lambda_function.this.architectures == tolist(["arm64"]) && aws_lambda_function.this.reserved_concurrent_executions == 50 && aws_lambda_function.this.timeout < 30
    error_message = "It is bounded, and answers before API Gateway gives up."
  }

  assert {
    condition     = aws_lambda_function.this.vpc_config[0].subnet_ids == toset(["subnet-1", "subnet-2"]) && aws_lambda_function.this.vpc_config[0].security_group_ids == toset(["sg-server"])
    error_message = "It is inside, where queue and cache are."
  }

  assert {
    condition     = jsonencode(aws_lambda_function.this.environment[0].variables) == jsonencode({ LAMBDA_SECRETS = jsonencode(var.secret_arns), MOVIEQL_STORE_BUCKET = "store" })
    error_message = "It knows where secrets are, and none of them."
  }

  assert {
    condition     = toset([for each in jsondecode(aws_iam_role_policy.this.policy).Statement : each.Sid if contains(flatten([each.Resource]), "*")]) == toset(["JoinTheVpc", "NotByTheCodeItself"])
    error_message = "Its role names every resource but network interfaces, which are not there yet."
  }
}

run "gateway" {
  module {
    source = "./modules/function"
  }

  assert {
    condition     = aws_apigatewayv2_api.this.protocol_type == "HTTP" && aws_apigatewayv2_integration.this.payload_format_version == "2.0" && aws_apigatewayv2_integration.this.integration_type == "AWS_PROXY"
    error_message = "An HTTP API hands every request to the function."
  }

  assert {
    condition     = aws_apigatewayv2_stage.this.default_route_settings[0].throttling_burst_limit == 100 && aws_apigatewayv2_stage.this.access_log_settings[0].destination_arn == aws_cloudwatch_log_group.gateway.arn
    error_message = "It is bounded and logged."
  }

  assert {
    condition     = aws_lambda_permission.gateway.source_arn == "arn:aws:execute-api:eu-west-1:123456789012:abc123/*/$default" && output.host == "abc123.execute-api.eu-west-1.amazonaws.com"
    error_message = "Only this API calls the function."
  }
}
