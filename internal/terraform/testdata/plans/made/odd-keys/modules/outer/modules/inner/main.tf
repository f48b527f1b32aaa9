variable "prefix" {}
variable "keys" {}
resource "local_file" "leaf" {
  for_each = var.keys
  filename = "./out/${md5("${var.prefix}/${each.key}")}.txt"
  content  = "${var.prefix} ${each.key}\n"
}
resource "local_file" "counted" {
  count    = 2
  filename = "./out/${md5("${var.prefix}#${count.index}")}.txt"
  content  = "${var.prefix} ${count.index}\n"
}
