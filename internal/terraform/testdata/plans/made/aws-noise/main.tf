terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                      = "us-east-1"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

# Nobody touches any of these but to write the same thing in other words.

resource "aws_s3_bucket" "untouched" {
  bucket = "example-noise-untouched"
}

resource "aws_s3_bucket_versioning" "untouched" {
  bucket = aws_s3_bucket.untouched.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_object" "untouched" {
  bucket  = aws_s3_bucket.untouched.id
  key     = "a.txt"
  content = "a"
}

resource "aws_s3_bucket" "reworded" {
  bucket = "example-noise-reworded"
  tags   = { b = "2", a = "1" }
}

resource "aws_s3_bucket_policy" "reworded" {
  bucket = aws_s3_bucket.reworded.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = ["s3:GetObject", "s3:GetObjectVersion"]
      Resource  = ["arn:aws:s3:::example-noise-reworded/*"]
      Condition = { IpAddress = { "aws:SourceIp" = ["203.0.113.0/24", "198.51.100.0/24"] } }
    }]
  })
}

resource "aws_s3_bucket_cors_configuration" "reworded" {
  bucket = aws_s3_bucket.reworded.id
  cors_rule {
    allowed_methods = ["GET", "HEAD", "PUT"]
    allowed_origins = ["https://a.example.com", "https://b.example.com", "https://c.example.com"]
  }
  cors_rule {
    allowed_methods = ["GET"]
    allowed_origins = ["https://d.example.com"]
    max_age_seconds = 60
  }
}

resource "aws_iam_user" "reworded" {
  name = "example-reworded"
}

resource "aws_iam_user_policy" "reworded" {
  user = aws_iam_user.reworded.name
  name = "p"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["*"]
    }]
  })
}
