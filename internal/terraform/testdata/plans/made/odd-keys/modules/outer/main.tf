variable "name" {}
variable "keys" {}
module "inner" {
  source = "./modules/inner"
  count  = 2
  prefix = "${var.name}#${count.index}"
  keys   = var.keys
}
