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

variable "referer_secret" {
  description = "what the CDN sends so that nobody else may read"
  type        = string
  sensitive   = true
  default     = "SECRET-MARK-21-referer"
}

variable "agent_token" {
  type      = string
  sensitive = true
  default   = "SECRET-MARK-22-agent-token"
}

# tags.agent is marked, the provider's own tags_all is not
resource "aws_s3_bucket" "assets" {
  bucket = "example-sensitive-assets"
  tags   = { agent = var.agent_token, team = "web" }
}

# the policy is marked here, the copy of it in aws_s3_bucket.assets.policy is not
resource "aws_s3_bucket_policy" "assets" {
  bucket = aws_s3_bucket.assets.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:GetObject"
      Resource  = "arn:aws:s3:::example-sensitive-assets/*"
      Condition = { StringEquals = { "aws:Referer" = var.referer_secret } }
    }]
  })
}

resource "aws_s3_object" "config" {
  bucket  = aws_s3_bucket.assets.id
  key     = "config.json"
  content = jsonencode({ token = var.agent_token })
}

resource "aws_s3_object" "literal" {
  bucket   = aws_s3_bucket.assets.id
  key      = "literal.env"
  content  = "API_KEY=SECRET-MARK-23-literal-in-code\n"
  metadata = { "signing-secret" = "SECRET-MARK-24-metadata" }
}

resource "aws_iam_user" "agent" {
  name = "example-agent"
}

# secret and ses_smtp_password_v4 are marked by the provider
resource "aws_iam_access_key" "agent" {
  user = aws_iam_user.agent.name
}
