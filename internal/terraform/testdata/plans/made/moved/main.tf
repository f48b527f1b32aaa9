terraform {
  required_providers {
    local = { source = "hashicorp/local" }
  }
}

moved {
  from = local_file.plain
  to   = module.kept["plain.txt"].local_file.this
}
module "kept" {
  source   = "./modules/box"
  for_each = toset(["plain.txt"])
  text     = "plain"
}
moved {
  from = terraform_data.old
  to   = terraform_data.new
}
resource "terraform_data" "new" { input = "two" }
moved {
  from = terraform_data.counted[0]
  to   = terraform_data.counted["first"]
}
moved {
  from = terraform_data.counted[1]
  to   = terraform_data.counted["second"]
}
resource "terraform_data" "counted" {
  for_each = { first = 0, second = 1 }
  input    = "index ${each.value}"
}
moved {
  from = module.box
  to   = module.crate
}
module "crate" {
  source = "./modules/box"
  count  = 2
  text   = "box-${count.index}"
}
