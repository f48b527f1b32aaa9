terraform {
  required_providers {
    local = { source = "hashicorp/local" }
  }
}

removed {
  from = local_file.let_go
  lifecycle { destroy = false }
}
removed {
  from = terraform_data.let_go
  lifecycle { destroy = false }
}
removed {
  from = local_file.let_go_but_gone
  lifecycle { destroy = false }
}
resource "terraform_data" "kept" { input = "kept" }
