terraform {
  required_providers {
    time = { source = "hashicorp/time" }
  }
}
import {
  to = time_static.founded
  id = "2020-02-12T06:36:13Z"
}
resource "time_static" "founded" {
  rfc3339 = "2020-02-12T06:36:13Z"
}
import {
  to = time_static.changed
  id = "2021-01-01T00:00:00Z"
}
resource "time_static" "changed" {
  triggers = { imported = "and changed" }
}
import {
  for_each = toset(["a b", "c.d"])
  to       = terraform_data.adopted[each.key]
  id       = "demo-${each.key}"
}
resource "terraform_data" "adopted" {
  for_each = toset(["a b", "c.d"])
  input    = each.key
}
