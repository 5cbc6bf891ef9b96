terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

provider "aws" {
  region = var.region
}

# CloudFront takes web ACLs, certificates and log deliveries from this region only.
provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"
}
