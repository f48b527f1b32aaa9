payment_api_key = "s3cr3t-demo-pay-live-9f8e7d6c5b4a"
