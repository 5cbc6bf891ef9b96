# terraform apply -var-file=example.tfvars, after changing what is somebody else's here.

name   = "movieql"
region = "eu-west-1"

# image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/movieql:1.0.0" # once there is one

certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
origin_domain   = "origin.movies.example.org"

# domain                 = "movies.example.org"
# domain_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"

alarm_email = "movies@example.org"
budget_usd  = 300

server = { count_min = 2, count_max = 6 }
worker = { count_min = 1, count_max = 4 }
queue  = { node_type = "cache.t4g.micro" }
cache  = { node_type = "cache.t4g.micro" }

# Empty places: `terraform output fill_secrets` says how to fill them.
secrets = {
  MOVIEQL_JWT_SECRET = "Signs the tokens of the built-in login, 32 bytes or more"
  CINEMAWORLD_TOKEN  = "Token of cinemaworld's API"
  FILMWORLD_TOKEN    = "Token of filmworld's API"
}

settings = {
  MOVIEQL_LOG_LEVEL = "info"
}

providers_toml = <<-TOML
  [[providers]]
  id = "cinemaworld"
  name = "Cinemaworld"
  base_url = "https://shops.example.com/api/cinemaworld"
  currency = "AUD"
  priority = 1
  id_scheme = "imdb"
  auth = { kind = "header", name = "x-access-token", token_env = "CINEMAWORLD_TOKEN" }
  list = { path = "/movies", wrapper = "Movies", fields = ["title", "year", "poster"] }
  detail = { path = "/movie/{id}" }
  keys = { id = "ID", title = "Title", year = "Year", poster = "Poster", price = "Price", genres = "Genre", director = "Director", actors = "Actors", plot = "Plot" }

  [[providers]]
  id = "filmworld"
  name = "Filmworld"
  base_url = "https://shops.example.com/api/filmworld"
  currency = "AUD"
  priority = 2
  id_scheme = "imdb"
  auth = { kind = "header", name = "x-access-token", token_env = "FILMWORLD_TOKEN" }
  list = { path = "/movies", wrapper = "Movies", fields = ["title", "year", "poster"] }
  detail = { path = "/movie/{id}" }
  keys = { id = "ID", title = "Title", year = "Year", poster = "Poster", price = "Price", genres = "Genre", director = "Director", actors = "Actors", plot = "Plot" }
TOML
