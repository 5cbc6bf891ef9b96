# Queue and cache.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name          = "movieql-queue"
  description   = "Jobs"
  place         = { account = "123456789012", region = "eu-west-1", partition = "aws" }
  vpc_id        = "vpc-1"
  subnet_ids    = ["subnet-1", "subnet-2"]
  node_type     = "cache.t4g.micro"
  nodes         = 2
  parameters    = { maxmemory-policy = "noeviction" }
  snapshot_days = 3
  key_arn       = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
  users         = { server = "on ~rq:* +@all", worker = "on ~rq:* +@all" }
  clients       = { server = "sg-server", worker = "sg-worker" }
}

run "valkey" {
  module {
    source = "./modules/valkey"
  }

  assert {
    condition     = aws_elasticache_replication_group.this.engine == "valkey" && aws_elasticache_replication_group.this.cluster_mode == "disabled"
    error_message = "RQ cannot run on a cluster."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.num_cache_clusters >= 2
    error_message = "A replica in another zone takes over."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    error_message = "Nobody connects without TLS."
  }

  assert {
    condition     = tostring(aws_elasticache_replication_group.this.at_rest_encryption_enabled) == "true" && aws_elasticache_replication_group.this.kms_key_id == var.key_arn
    error_message = "Disks are encrypted with our own key."
  }

  assert {
    condition     = tolist(aws_elasticache_parameter_group.this.parameter)[0].name == "maxmemory-policy" && tolist(aws_elasticache_parameter_group.this.parameter)[0].value == "noeviction"
    error_message = "The parameters are the ones that were given."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.snapshot_retention_limit == 3
    error_message = "There are snapshots."
  }

  assert {
    condition = alltrue([for each in aws_elasticache_user.iam :
    each.authentication_mode[0].type == "iam" && each.user_id == each.user_name])
    error_message = "Users sign in by IAM, by an id that is their name."
  }

  assert {
    condition     = aws_elasticache_user.default.user_name == "default" && startswith(aws_elasticache_user.default.access_string, "off ") && contains(aws_elasticache_user_group.this.user_ids, aws_elasticache_user.default.user_id)
    error_message = "Who does not sign in is nobody."
  }

  assert {
    condition     = toset([for each in aws_vpc_security_group_ingress_rule.clients : each.referenced_security_group_id]) == toset(["sg-server", "sg-worker"]) && alltrue([for each in aws_vpc_security_group_ingress_rule.clients : each.from_port == 6379 && each.to_port == 6379])
    error_message = "Only the processes of ours connect."
  }

  assert {
    condition = jsonencode(output.statements["server"]) == jsonencode([{
      Action   = "elasticache:Connect"
      Effect   = "Allow"
      Resource = ["arn:aws:elasticache:eu-west-1:123456789012:replicationgroup:movieql-queue", "arn:aws:elasticache:eu-west-1:123456789012:user:movieql-queue-server"]
    }])
    error_message = "A role signs in as its own user, at this Valkey only."
  }

  assert {
    condition     = output.url == "rediss://master.valkey.example.cache.amazonaws.com:6379/0"
    error_message = "The address speaks TLS and has no password."
  }
}
