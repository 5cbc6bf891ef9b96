# Users sign in with a token that IAM makes for them, so no password exists.

resource "aws_elasticache_user" "iam" {
  for_each = var.users

  # ElastiCache wants id and name of a user of IAM to be the same.
  user_id       = "${var.name}-${each.key}"
  user_name     = "${var.name}-${each.key}"
  engine        = "redis"
  access_string = each.value

  authentication_mode {
    type = "iam"
  }
}

# Every group has a user of this name, who is whoever does not sign in: switched off, nobody is.
# It has the engine `redis`, which a group for Valkey may have, for users of the engine `valkey`
# need a password even when they are off, and that would lie in the state.
resource "aws_elasticache_user" "default" {
  user_id       = "${var.name}-off"
  user_name     = "default"
  engine        = "redis"
  access_string = "off -@all"

  authentication_mode {
    type = "no-password-required"
  }
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = var.name
  engine        = "redis"
  user_ids = concat(
    [aws_elasticache_user.default.user_id],
    [for each in aws_elasticache_user.iam : each.user_id],
  )
}
