variable "session_token" {
  type      = string
  ephemeral = true
  default   = "SECRET-MARK-09-ephemeral-variable"
}
variable "given_token" {
  type      = string
  ephemeral = true
  sensitive = true
}
variable "plain" { default = "plain" }
resource "terraform_data" "a" {
  input = var.plain
}
