terraform {
  required_providers {
    local = { source = "hashicorp/local" }
  }
}

variable "tenant_key" {
  type      = string
  sensitive = true
  default   = "SECRET-MARK-08-for-each-key"
}

# The secret is in the address, in its index and in the file name.
resource "local_file" "tenant" {
  for_each = toset([nonsensitive(var.tenant_key)])
  filename = "./out/${each.key}.txt"
  content  = "tenant\n"
}
