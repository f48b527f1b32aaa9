terraform {
  required_providers {
    local = { source = "hashicorp/local" }
  }
}

variable "version_tag" { default = "2" }
resource "terraform_data" "cbd" {
  input            = var.version_tag
  triggers_replace = { version = var.version_tag }
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "dbc" {
  input            = "same"
  triggers_replace = var.version_tag
}
resource "terraform_data" "asked" { input = "replaced with -replace" }
resource "terraform_data" "triggered" {
  input = "replaced because another one is"
  lifecycle { replace_triggered_by = [terraform_data.dbc] }
}
resource "local_file" "cbd" {
  filename = "./out/cbd-${var.version_tag}.txt"
  content  = "version ${var.version_tag}\n"
  lifecycle { create_before_destroy = true }
}
resource "local_file" "dbc" {
  filename = "./out/dbc.txt"
  content  = "version ${var.version_tag}\n"
}
resource "local_file" "gone_and_replaced" {
  filename = "./out/gone.txt"
  content  = "version ${var.version_tag}\n"
}
