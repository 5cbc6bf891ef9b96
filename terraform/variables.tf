# What it is called and where it is

variable "name" {
  description = "What the names of everything start with."
  type        = string
  default     = "movieql"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 16
    error_message = "A name has up to 16 small letters, digits and single dashes, and starts with a letter."
  }
}

variable "region" {
  description = "AWS region of everything but CloudFront's parts, which are in us-east-1."
  type        = string
  default     = "eu-west-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region looks like eu-west-1."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: a /16 to a /20."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.vpc_cidr, 4, 15)) && try(tonumber(split("/", var.vpc_cidr)[1]), 0) >= 16 && try(tonumber(split("/", var.vpc_cidr)[1]), 99) <= 20
    error_message = "The VPC needs an IPv4 range of a size from /16 to /20."
  }
}

variable "zones" {
  description = "Availability zones to spread over."
  type        = number
  default     = 2

  validation {
    condition     = contains([2, 3], var.zones)
    error_message = "Two or three zones: one is none, and a region has three for all."
  }
}

variable "nat_per_zone" {
  description = "Whether each zone has a NAT gateway of its own. With one for all, its zone's end cuts servers off from the shops."
  type        = bool
  default     = false
}

# What runs

variable "image" {
  description = "Image that runs, with its tag or digest; null while there is none yet, and nothing runs."
  type        = string
  default     = null

  validation {
    condition     = var.image == null || can(regex("^[a-z0-9.-]+/[a-z0-9._/-]+(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})$", var.image)) && !can(regex(":latest$", coalesce(var.image, "-")))
    error_message = "An image names its registry, and a tag or a digest that is not `latest`: tags here are never moved."
  }
}

variable "architecture" {
  description = "For which processors the image is: X86_64 or ARM64."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "Fargate has X86_64 and ARM64."
  }
}

variable "api" {
  description = "How the API runs: `fargate`, or `lambda`, which cannot do all (docs/aws.md)."
  type        = string
  default     = "fargate"

  validation {
    condition     = contains(["fargate", "lambda"], var.api)
    error_message = "The API runs on `fargate` or on `lambda`."
  }
}

variable "providers_toml" {
  description = "The shops, as the TOML text of docs/settings.md. It names the variables of secrets and holds none."
  type        = string

  validation {
    condition     = strcontains(var.providers_toml, "[[providers]]") && length(var.providers_toml) <= 30000
    error_message = "The text has a [[providers]] table for each shop, and 30,000 characters at most."
  }
}

variable "secrets" {
  description = "Environment variables that hold a secret, each with what it is. Values are put in by hand, see the output `fill_secrets`."
  type        = map(string)
  default     = { MOVIEQL_JWT_SECRET = "Signs the tokens of the built-in login" }

  validation {
    condition     = alltrue([for variable in keys(var.secrets) : can(regex("^[A-Z][A-Z0-9_]{0,63}$", variable))])
    error_message = "An environment variable has capitals, digits and underscores."
  }
}

variable "settings" {
  description = "Other settings of docs/settings.md, by variable. No secrets: these are in plain sight."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for variable in keys(var.settings) : startswith(variable, "MOVIEQL_")])
    error_message = "Settings start with MOVIEQL_."
  }

  validation {
    condition     = alltrue([for variable in keys(var.settings) : !can(regex("(SECRET|TOKEN|PASSWORD|_URL)$", variable)) || variable == "MOVIEQL_OPENID_JWKS_URL" || variable == "MOVIEQL_PUBLIC_URL"])
    error_message = "Secrets belong into `secrets`, and the addresses of queue, cache and store are made here."
  }

  validation {
    condition     = !anytrue([for variable in keys(var.settings) : contains(["MOVIEQL_CATALOGUE_KEY", "MOVIEQL_STORE_FOLDER", "MOVIEQL_STORE_PREFIX"], variable)])
    error_message = "The bucket's policy and the roles know the catalogue as movies.json, and no prefix."
  }
}

variable "provider_ports" {
  description = "TCP ports at which shops are reached; AWS itself needs 443."
  type        = list(number)
  default     = [443]

  validation {
    condition     = contains(var.provider_ports, 443) && alltrue([for port in var.provider_ports : port >= 1 && port <= 65535])
    error_message = "The ports have to contain 443, by which AWS is reached."
  }
}

# How it is reached

variable "certificate_arn" {
  description = "ACM certificate in `region` for the load balancer; `fargate` needs it."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+$", var.certificate_arn))
    error_message = "This is not the ARN of a certificate of ACM."
  }

  validation {
    condition     = var.certificate_arn != null || var.image == null || var.api == "lambda"
    error_message = "The load balancer needs a certificate: give `certificate_arn`."
  }

  validation {
    condition     = var.certificate_arn == null || try(split(":", var.certificate_arn)[3], "") == var.region
    error_message = "The load balancer's certificate has to be in the same region."
  }
}

variable "origin_domain" {
  description = "Name in that certificate, with which CloudFront compares it; null: `domain`. It needs no entry in the DNS."
  type        = string
  default     = null

  validation {
    condition     = var.origin_domain == null || can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.origin_domain))
    error_message = "This is not the name of a host."
  }

  validation {
    condition     = var.origin_domain != null || var.domain != null || var.image == null || var.api == "lambda"
    error_message = "CloudFront has to know the name in the load balancer's certificate: give `origin_domain` or `domain`."
  }
}

variable "domain" {
  description = "Name that people use; null for CloudFront's own."
  type        = string
  default     = null

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain))
    error_message = "This is not the name of a host."
  }
}

variable "domain_certificate_arn" {
  description = "ACM certificate of `domain` in us-east-1, where CloudFront looks."
  type        = string
  default     = null

  validation {
    condition     = var.domain_certificate_arn == null || can(regex("^arn:[a-z-]+:acm:us-east-1:[0-9]{12}:certificate/[A-Za-z0-9-]+$", var.domain_certificate_arn))
    error_message = "CloudFront takes certificates of ACM in us-east-1 only."
  }

  validation {
    condition     = (var.domain_certificate_arn == null) == (var.domain == null)
    error_message = "`domain` and `domain_certificate_arn` go together."
  }
}

variable "requests_per_five_minutes" {
  description = "Requests from one address in five minutes, above which the web ACL blocks it. The server has a budget of its own: 1,200 a minute."
  type        = number
  default     = 6000

  validation {
    condition     = var.requests_per_five_minutes >= 10 && var.requests_per_five_minutes <= 2000000000
    error_message = "The web ACL counts from 10 to 2,000,000,000 requests."
  }
}
