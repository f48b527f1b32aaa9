terraform {
  required_providers {
    local = { source = "hashicorp/local" }
  }
}

resource "local_file" "a" {
  filename = "./out/a.txt"
  content  = "a\n"
}
output "sum" { value = local_file.a.content_sha256 }
