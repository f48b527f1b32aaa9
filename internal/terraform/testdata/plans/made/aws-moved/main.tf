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

moved {
  from = aws_s3_bucket.old[0]
  to   = aws_s3_bucket.new["zero"]
}
moved {
  from = aws_s3_bucket.old[1]
  to   = aws_s3_bucket.new["one"]
}
resource "aws_s3_bucket" "new" {
  for_each = { zero = 0, one = 1 }
  bucket   = "example-moved-${each.value}"
  tags     = { team = "web", n = each.value }
}
