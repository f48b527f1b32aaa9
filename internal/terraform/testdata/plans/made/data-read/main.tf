terraform {
  required_providers {
    local = { source = "hashicorp/local" }
  }
}

resource "local_file" "source" {
  filename = "./out/source.txt"
  content  = "two\n"
}
data "local_file" "known" {
  filename = "./known.txt"
}
data "local_file" "later" {
  filename   = local_file.source.filename
  depends_on = [local_file.source]
}
resource "terraform_data" "reader" {
  input = data.local_file.later.content
}
resource "terraform_data" "reader_known" {
  input = data.local_file.known.content
}
