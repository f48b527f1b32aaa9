terraform {
  required_providers {
    local = { source = "hashicorp/local" }
  }
}

resource "local_file" "a" {
  filename = "./out/a.txt"
  content  = "a\n"
}
resource "local_file" "gone" {
  filename = "./out/gone.txt"
  content  = "gone\n"
}
resource "terraform_data" "b" { input = "b" }
