output "url" {
  description = "Where the application is, once `image` is given."
  value       = local.runs ? "https://${module.edge[0].host}" : null
}

output "domain_target" {
  description = "What `domain` has to point to (CNAME, or an alias)."
  value       = local.runs ? module.edge[0].cloudfront_host : null
}

output "repository" {
  description = "Where images are pushed to."
  value       = module.registry.url
}

output "push_image" {
  description = "How to build and push an image; TAG is one that was never used."
  value       = <<-EOT
    aws ecr get-login-password --region ${var.region} | docker login --username AWS --password-stdin ${split("/", module.registry.url)[0]}
    docker build --platform ${var.architecture == "ARM64" ? "linux/arm64" : "linux/amd64"} --tag ${module.registry.url}:TAG .
    docker push ${module.registry.url}:TAG
  EOT
}

output "fill_secrets" {
  description = "How to fill each secret. The value is read from the terminal, so it is in no history and no list of processes."
  value = { for variable, name in module.secrets.names : variable =>
    "read -rs VALUE && printf %s \"$VALUE\" | aws secretsmanager put-secret-value --region ${var.region} --secret-id ${name} --secret-string file:///dev/stdin; unset VALUE"
  }
}

output "next" {
  description = "What to do next."
  value = (
    local.runs
    ? "Open the URL; `aws ecs describe-services --region ${var.region} --cluster ${var.name} --services ${var.name}-worker` tells how the deployment goes."
    : "Fill the secrets (fill_secrets), push an image (push_image), then: terraform apply -var image=${module.registry.url}:TAG"
  )
}

output "bucket" {
  description = "The object store."
  value       = module.store.bucket
}

output "ci_role_arn" {
  description = "Role that GitHub's workflows assume, null without `github`."
  value       = one(module.ci[*].role_arn)
}

output "dashboard" {
  description = "Dashboard of CloudWatch."
  value       = local.runs ? module.watch[0].dashboard : null
}

output "alarm_topic" {
  description = "Topic that alarms go to."
  value       = local.runs ? module.watch[0].topic_arn : null
}
