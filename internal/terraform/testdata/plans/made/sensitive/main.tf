terraform {
  required_providers {
    local = { source = "hashicorp/local" }
  }
}

variable "db_password" {
  type      = string
  sensitive = true
  default   = "SECRET-MARK-01-db-password"
}
variable "db_password_next" {
  type      = string
  sensitive = true
  default   = "SECRET-MARK-02-db-password-next"
}
variable "unmarked_token" {
  description = "nobody remembered to mark it"
  default     = "SECRET-MARK-03-unmarked-token"
}
variable "tree" {
  type      = object({ user = string, keys = map(string), list = list(string) })
  sensitive = true
  default = {
    user = "app"
    keys = { "a.b" = "SECRET-MARK-04-map-value" }
    list = ["SECRET-MARK-05-list-value", "x"]
  }
}
locals { generation = 2 }

# input is marked, output is not (and after the first apply both hold the value)
resource "terraform_data" "output_leaks" {
  input = var.db_password_next
}
resource "terraform_data" "part_of_input" {
  input = { url = "postgres://app:${var.db_password}@db:5432/app", plain = "v${local.generation}", nested = var.tree }
}
resource "terraform_data" "nonsensitive" {
  input = nonsensitive(var.db_password)
}
# what null_resource.triggers would be
resource "terraform_data" "triggers" {
  triggers_replace = { password = nonsensitive(var.db_password), generation = local.generation }
}
resource "local_file" "nonsensitive" {
  filename = "./out/app.env"
  content  = "DB_PASSWORD=${nonsensitive(var.db_password)}\nTOKEN=${var.unmarked_token}\nGENERATION=${local.generation}\n"
}
resource "local_file" "marked" {
  filename = "./out/marked.env"
  content  = "DB_PASSWORD=${var.db_password}\n"
}
resource "local_sensitive_file" "by_provider" {
  filename = "./out/secret.env"
  content  = "LITERAL=SECRET-MARK-06-literal-in-code\nDB_PASSWORD=${var.db_password}\n"
}
resource "local_file" "key" {
  filename = "./out/key.pem"
  content  = "-----BEGIN RSA PRIVATE KEY-----\nSECRETxMARKx07xprivatexkeyxbody\n-----END RSA PRIVATE KEY-----\n"
}
resource "terraform_data" "base64" {
  input = base64encode(nonsensitive(var.db_password))
}
output "marked" {
  value     = var.db_password
  sensitive = true
}
output "leaked" {
  value = "user=app password=${nonsensitive(var.db_password)} v${local.generation}"
}
