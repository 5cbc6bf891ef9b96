# What GitHub's workflows may do.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name             = "movieql"
  place            = { account = "123456789012", region = "eu-west-1", partition = "aws" }
  repository       = "owner/movieql"
  environment      = "production"
  provider_arn     = null
  registry_arn     = "arn:aws:ecr:eu-west-1:123456789012:repository/movieql"
  service_arns     = ["arn:aws:ecs:eu-west-1:123456789012:service/movieql/movieql-server"]
  function_arns    = []
  families         = ["movieql-server"]
  passed_role_arns = ["arn:aws:iam::123456789012:role/movieql-server"]
}

run "fargate" {
  module {
    source = "./modules/ci"
  }

  assert {
    condition     = jsonencode(jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition) == jsonencode({ StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com", "token.actions.githubusercontent.com:sub" = "repo:owner/movieql:environment:production" } })
    error_message = "Only jobs of this environment of this repository sign in."
  }

  assert {
    condition     = toset([for each in jsondecode(aws_iam_role_policy.this.policy).Statement : each.Action if contains(flatten([each.Resource]), "*")]) == toset(["ecr:GetAuthorizationToken", "ecs:DescribeTaskDefinition"])
    error_message = "Only what has no name is not named."
  }

  assert {
    condition     = !anytrue([for each in jsondecode(aws_iam_role_policy.this.policy).Statement : strcontains(jsonencode(each.Action), "*")]) && !strcontains(aws_iam_role_policy.this.policy, "lambda:")
    error_message = "Every action is named, and there are none for what is not there."
  }
}

run "lambda" {
  module {
    source = "./modules/ci"
  }

  variables {
    provider_arn  = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    service_arns  = []
    function_arns = ["arn:aws:lambda:eu-west-1:123456789012:function:movieql-api"]
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "An account has GitHub's provider once."
  }

  assert {
    condition     = [for each in jsondecode(aws_iam_role_policy.this.policy).Statement : join(",", each.Resource) if each.Sid == "UpdateTheFunction"] == ["arn:aws:lambda:eu-west-1:123456789012:function:movieql-api"]
    error_message = "It updates this function."
  }
}
