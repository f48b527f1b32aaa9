terraform {
  required_providers {
    local = { source = "hashicorp/local" }
  }
}

variable "limit" { default = 3 }
resource "local_file" "first" {
  filename = "./out/first.txt"
  content  = "first\n"
}
resource "local_file" "second" {
  filename = "./out/second.txt"
  content  = "second\n"
  lifecycle {
    precondition {
      condition     = var.limit > 5
      error_message = "The limit is too low."
    }
  }
}
check "limit" {
  assert {
    condition     = var.limit > 7
    error_message = "The limit is low."
  }
}
