terraform {
  required_providers {
    local = { source = "hashicorp/local" }
  }
}

resource "local_file" "inside" {
  filename = "./out/inside.txt"
  content  = "targeted\n"
}
resource "local_file" "outside" {
  filename = "./out/outside.txt"
  content  = "not targeted\n"
}
resource "terraform_data" "after_inside" {
  input = local_file.inside.content_sha256
}
