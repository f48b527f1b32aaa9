# prod/edge: what the edge web servers are configured with.
# Files stand in for machines here, so that everybody can break one and look.

terraform {
  required_version = ">= 1.5"
  required_providers {
    local = { source = "hashicorp/local" }
    time  = { source = "hashicorp/time" }
  }
}

variable "environment" {
  type    = string
  default = "production"
}

variable "db_password" {
  type      = string
  sensitive = true
}

variable "tls_private_key" {
  type      = string
  sensitive = true
}

variable "sites" {
  description = "Virtual hosts by server name; a path after the name is a location of its own."
  type = map(object({
    upstream = string
    max_body = optional(string, "1m")
    headers  = optional(map(string), {})
  }))
  default = {
    "www.example.com" = {
      upstream = "10.20.0.11:8080"
      headers  = { "Strict-Transport-Security" = "max-age=31536000" }
    }
    "shop.example.com/checkout" = { upstream = "10.20.0.21:8443", max_body = "256k" }
    "status.example.com"        = { upstream = "10.20.0.51:8080" }
    "~^api-(?<v>\\d+)[.]\"eu\"" = { upstream = "10.20.0.41:9000", max_body = "8m" }
  }
}

locals {
  tags = {
    environment = var.environment
    team        = "edge"
    managed_by  = "terraform"
  }
}

resource "time_static" "launched" {}

resource "terraform_data" "release" {
  input = {
    version = "2026.11.2"
    image   = "edge/nginx:1.29.4"
    tags    = local.tags
  }
}

resource "local_file" "nginx_conf" {
  filename        = "./out/etc/nginx/nginx.conf"
  file_permission = "0644"
  content         = <<-EOT
    # release ${terraform_data.release.input.version}
    user  nginx;
    worker_processes  auto;

    events { worker_connections  4096; }

    http {
      server_tokens  off;
      ssl_protocols  TLSv1.2 TLSv1.3;
      include        /etc/nginx/conf.d/*.conf;
    }
  EOT
}

resource "local_file" "site" {
  for_each        = var.sites
  filename        = "./out/etc/nginx/conf.d/${substr(md5(each.key), 0, 8)}.conf"
  file_permission = "0644"
  content = join("\n", concat(
    [
      "# ${each.key}",
      "server {",
      "  listen               443 ssl;",
      "  server_name          ${split("/", each.key)[0]};",
      "  client_max_body_size ${each.value.max_body};",
      "  location / { proxy_pass https://${each.value.upstream}; }",
    ],
    [for name, value in each.value.headers : "  add_header ${name} \"${value}\" always;"],
    ["}", ""],
  ))
}

resource "local_file" "motd" {
  filename        = "./out/etc/motd"
  file_permission = "0644"
  content         = "This is a ${var.environment} edge server. Changes made by hand will be noticed.\n"
}

resource "local_sensitive_file" "tls_key" {
  filename        = "./out/etc/nginx/tls/edge.key"
  file_permission = "0600"
  content         = var.tls_private_key
}

resource "local_sensitive_file" "database_env" {
  filename        = "./out/etc/edge/database.env"
  file_permission = "0600"
  content         = "DATABASE_URL=postgres://edge:${var.db_password}@db.internal.example:5432/edge\n"
}

module "worker" {
  source = "./modules/worker"
  count  = 4

  name        = format("edge-worker-%d", count.index)
  queue       = ["mail", "thumbnails", "webhooks"][count.index % 3]
  db_password = var.db_password
}

output "sites" {
  value = { for name, file in local_file.site : name => file.content_sha256 }
}

output "launched" {
  value = time_static.launched.rfc3339
}
