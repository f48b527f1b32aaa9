variable "region" {
  type = string
}

resource "aws_s3_bucket" "this" {
  bucket = "example-shop-archive-${var.region}"
  tags   = { team = "data", region = var.region, cost-center = "4711" }
}

resource "aws_s3_object" "manifest" {
  count   = 2
  bucket  = aws_s3_bucket.this.id
  key     = "manifests/${2025 + count.index}.json"
  content = jsonencode({ year = 2025 + count.index, region = var.region, sealed = count.index == 0 })
}

output "arn" {
  value = aws_s3_bucket.this.arn
}
