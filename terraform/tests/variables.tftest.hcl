# Mistakes that are told before anything is made.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "./tests/mocks"
}

variables {
  providers_toml = "[[providers]]\nid = \"cinemaworld\"\n"
}

run "names" {
  command = plan

  variables {
    name   = "Movie_QL"
    region = "Ireland"
  }

  expect_failures = [var.name, var.region]
}

run "network" {
  command = plan

  variables {
    vpc_cidr       = "10.0.0.0/28"
    zones          = 1
    provider_ports = [80]
  }

  expect_failures = [var.vpc_cidr, var.zones, var.provider_ports]
}

run "an_image_that_moves" {
  command = plan

  variables {
    image           = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/movieql:latest"
    certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-1111-1111-1111-111111111111"
    origin_domain   = "origin.example.org"
  }

  expect_failures = [var.image]
}

run "no_certificate" {
  command = plan

  variables {
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/movieql:1.0.0"
  }

  expect_failures = [var.certificate_arn, var.origin_domain]
}

run "a_certificate_of_another_region" {
  command = plan

  variables {
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-1111-1111-1111-111111111111"
  }

  expect_failures = [var.certificate_arn]
}

run "a_domain_without_a_certificate" {
  command = plan

  variables {
    domain = "movies.example.org"
  }

  expect_failures = [var.domain_certificate_arn]
}

run "a_domain_certificate_of_another_region" {
  command = plan

  variables {
    domain                 = "movies.example.org"
    domain_certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-1111-1111-1111-111111111111"
  }

  expect_failures = [var.domain_certificate_arn]
}

run "a_secret_in_plain_sight" {
  command = plan

  variables {
    settings = { MOVIEQL_JWT_SECRET = "would be in the state" }
  }

  expect_failures = [var.settings]
}

run "a_catalogue_that_the_policy_does_not_know" {
  command = plan

  variables {
    settings = { MOVIEQL_CATALOGUE_KEY = "films.json" }
  }

  expect_failures = [var.settings]
}

run "a_setting_that_is_none" {
  command = plan

  variables {
    settings = { LOG_LEVEL = "info" }
    secrets  = { "cinemaworld-token" = "no environment variable" }
  }

  expect_failures = [var.settings, var.secrets]
}

run "sizes" {
  command = plan

  variables {
    server   = { cpu = 300 }
    worker   = { count_min = 0 }
    function = { at_once_max = 1000 }
    queue    = { nodes = 1 }
    cache    = { nodes = 1 }
  }

  expect_failures = [var.server, var.worker, var.function, var.queue, var.cache]
}

run "lives_and_bounds" {
  command = plan

  variables {
    files_kept_days           = 8
    observed_days             = 1
    log_days                  = 31
    images_kept               = 1
    daily_export_hour         = 24
    requests_per_five_minutes = 9
    latency_p99_s_max         = 31
    queue_age_s_max           = 0
    errors_max                = -1
  }

  expect_failures = [
    var.files_kept_days, var.observed_days, var.log_days, var.images_kept, var.daily_export_hour,
    var.requests_per_five_minutes, var.latency_p99_s_max, var.queue_age_s_max, var.errors_max,
  ]
}

run "people" {
  command = plan

  variables {
    api            = "kubernetes"
    architecture   = "RISCV"
    alarm_email    = "nobody"
    budget_usd     = 0
    github         = { repository = "owner/*" }
    providers_toml = "no shops"
  }

  expect_failures = [var.api, var.architecture, var.alarm_email, var.budget_usd, var.github, var.providers_toml]
}
