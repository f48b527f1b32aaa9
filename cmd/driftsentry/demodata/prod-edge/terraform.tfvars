db_password     = "s3cr3t-demo-Lemon-Harbour-42"
tls_private_key = <<-EOT
-----BEGIN PRIVATE KEY-----
s3cr3tDemoOnlyNotAKeyS3cr3tDemoOnlyNotAKeyS3cr3tDemoOnlyNotAKey0
RHJpZnRTZW50cnkgZGVtbyBrZXksIG5vdCBhIGtleSBhdCBhbGwsIGludmVudGVk
-----END PRIVATE KEY-----
EOT
