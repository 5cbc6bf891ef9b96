# The network.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name             = "movieql"
  region           = "eu-west-1"
  partition        = "aws"
  cidr             = "10.40.0.0/16"
  zones            = 2
  nat_per_zone     = false
  log_key_arn      = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
  log_days         = 30
  store_bucket_arn = "arn:aws:s3:::store"
}

run "two_zones" {
  module {
    source = "./modules/network"
  }

  assert {
    condition     = length(aws_subnet.public) == 2 && length(aws_subnet.private) == 2 && length(aws_nat_gateway.this) == 1
    error_message = "Two zones share a NAT gateway."
  }

  assert {
    condition     = length(distinct(concat([for each in aws_subnet.public : each.cidr_block], [for each in aws_subnet.private : each.cidr_block]))) == 4 && alltrue([for each in aws_subnet.public : !each.map_public_ip_on_launch])
    error_message = "Subnets do not overlap, and nothing is public by itself."
  }

  assert {
    condition     = toset(keys(aws_vpc_endpoint.services)) == toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager"]) && alltrue([for each in aws_vpc_endpoint.services : each.private_dns_enabled]) && aws_vpc_endpoint.store.vpc_endpoint_type == "Gateway"
    error_message = "AWS is asked from inside."
  }

  assert {
    condition     = [for each in jsondecode(aws_vpc_endpoint.store.policy).Statement : join(",", flatten([each.Resource])) if each.Sid == "OurStore"] == ["arn:aws:s3:::store,arn:aws:s3:::store/*"]
    error_message = "Nothing is carried to a bucket of somebody else."
  }

  assert {
    condition     = aws_cloudwatch_log_group.flows.kms_key_id == var.log_key_arn && aws_flow_log.this.log_destination == aws_cloudwatch_log_group.flows.arn
    error_message = "What was refused is logged."
  }
}

run "three_zones" {
  module {
    source = "./modules/network"
  }

  variables {
    zones        = 3
    nat_per_zone = true
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(aws_route_table.private) == 3
    error_message = "Each zone has its own way out."
  }
}
