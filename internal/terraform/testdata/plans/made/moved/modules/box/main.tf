variable "text" {}
resource "local_file" "this" {
  filename = "./out/${var.text}.txt"
  content  = "${var.text}\n"
}
