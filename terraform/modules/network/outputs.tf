output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "Subnets without a way in from outside."
  value       = [for each in aws_subnet.private : each.id]
}
