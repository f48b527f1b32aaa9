terraform {
  required_providers {
    local = { source = "hashicorp/local" }
  }
}

locals {
  keys = toset([
    "plain",
    "with.dot",
    "module.x[\"y\"].z",
    "quote\"quote",
    "back\\slash",
    "trailing\\",
    "[0]",
    "]",
    "a[b]c",
    "space and\ttab",
    "new\nline",
    "$${not.interpolated}",
    "%%{not a directive}",
    "ünïcödé",
    "e\u0301 (combining)",
    "日本語",
    "emoji 🧯",
    "0",
    "",
    "'single'",
    "<script>&amp;",
    "\u202e right to left",
    "/slash/../path",
  ])
}
module "outer" {
  source   = "./modules/outer"
  for_each = toset(["eu.west-1", "a[\"b\"].c\\d"])
  name     = each.key
  keys     = each.key == "eu.west-1" ? local.keys : toset(["only \"one\""])
}
resource "terraform_data" "root" {
  for_each = local.keys
  input    = each.key
}
