variable "name" {
  type = string
}

variable "queue" {
  type = string
}

variable "db_password" {
  type      = string
  sensitive = true
}

resource "local_file" "unit" {
  filename        = "./out/etc/systemd/system/${var.name}.service"
  file_permission = "0644"
  content         = <<-EOT
    [Unit]
    Description=Background worker for the ${var.queue} queue
    After=network-online.target

    [Service]
    ExecStart=/usr/local/bin/worker --queue ${var.queue}
    EnvironmentFile=/etc/edge/${var.name}.env
    Restart=always
    MemoryMax=512M

    [Install]
    WantedBy=multi-user.target
  EOT
}

resource "local_sensitive_file" "env" {
  filename        = "./out/etc/edge/${var.name}.env"
  file_permission = "0600"
  content         = "QUEUE=${var.queue}\nQUEUE_TOKEN=s3cr3t-demo-token-${var.name}\nDB_PASSWORD=${var.db_password}\n"
}
