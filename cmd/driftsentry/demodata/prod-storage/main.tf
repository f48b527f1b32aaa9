# prod/storage: the buckets of the shop.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

# The endpoint and the credentials come from the environment
# (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_IAM, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).
provider "aws" {
  region                      = "us-east-1"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true

  default_tags {
    tags = {
      managed-by  = "terraform"
      environment = "production"
    }
  }
}

variable "payment_api_key" {
  type      = string
  sensitive = true
}

# What the web shop shows: readable by the CDN's addresses and the backup alone.

resource "aws_s3_bucket" "assets" {
  bucket = "example-shop-assets"
  tags   = { team = "web", data-class = "public" }
}

resource "aws_s3_bucket_policy" "assets" {
  bucket = aws_s3_bucket.assets.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "ReadByCDN"
        Effect    = "Allow"
        Principal = "*"
        Action    = ["s3:GetObject"]
        Resource  = ["arn:aws:s3:::example-shop-assets/*"]
        Condition = { IpAddress = { "aws:SourceIp" = ["203.0.113.0/24", "198.51.100.0/24"] } }
      },
      {
        Sid       = "ReadByBackup"
        Effect    = "Allow"
        Principal = { AWS = aws_iam_user.backup.arn }
        Action    = ["s3:GetObject", "s3:ListBucket"]
        Resource  = ["arn:aws:s3:::example-shop-assets", "arn:aws:s3:::example-shop-assets/*"]
      },
    ]
  })
}

resource "aws_s3_bucket_cors_configuration" "assets" {
  bucket = aws_s3_bucket.assets.id

  cors_rule {
    allowed_methods = ["GET", "HEAD"]
    allowed_origins = ["https://shop.example.com", "https://www.example.com"]
    max_age_seconds = 3600
  }
}

resource "aws_s3_object" "robots" {
  bucket       = aws_s3_bucket.assets.id
  key          = "robots.txt"
  content      = "User-agent: *\nDisallow: /checkout/\n"
  content_type = "text/plain"
  etag         = md5("User-agent: *\nDisallow: /checkout/\n")
}

resource "aws_s3_object" "maintenance" {
  bucket       = aws_s3_bucket.assets.id
  key          = "errors/maintenance.html"
  content      = "<h1>Back in ten minutes</h1>\n"
  content_type = "text/html"
}

# Customer exports: versioned, because they are a legal record.

resource "aws_s3_bucket" "exports" {
  bucket = "example-shop-exports"
  tags   = { team = "data", data-class = "confidential", retention = "12y" }
}

resource "aws_s3_bucket_versioning" "exports" {
  bucket = aws_s3_bucket.exports.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_object" "payment_config" {
  bucket       = aws_s3_bucket.exports.id
  key          = "config/payment.json"
  content_type = "application/json"
  content = jsonencode({
    endpoint = "https://pay.example.com/v2"
    api_key  = var.payment_api_key
  })

  depends_on = [aws_s3_bucket_versioning.exports]
}

# Who may copy all of it: the nightly backup, and CI by way of its own tokens.

resource "aws_iam_user" "backup" {
  name = "example-shop-backup"
  path = "/service/"
  tags = { team = "data" }
}

resource "aws_iam_user_policy" "backup" {
  name = "read-buckets"
  user = aws_iam_user.backup.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:ListBucket"]
      Resource = ["arn:aws:s3:::example-shop-*"]
    }]
  })
}

resource "aws_iam_openid_connect_provider" "ci" {
  url             = "https://ci.example.com"
  client_id_list  = ["sts.amazonaws.com"]
  thumbprint_list = ["6938fd4d98bab03faadb97b34396831e3780aea1"]
}

# One archive for each region we sell in.

module "archive" {
  source   = "./modules/archive"
  for_each = toset(["ap-southeast-2", "eu-central-1", "us-east-1"])

  region = each.key
}

output "buckets" {
  value = concat(
    [aws_s3_bucket.assets.arn, aws_s3_bucket.exports.arn],
    [for archive in module.archive : archive.arn],
  )
}
