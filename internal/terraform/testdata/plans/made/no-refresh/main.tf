terraform {
  required_providers {
    local = { source = "hashicorp/local" }
  }
}

resource "local_file" "deleted_but_nobody_looked" {
  filename = "./out/a.txt"
  content  = "a\n"
}
resource "terraform_data" "steady" { input = "same" }
