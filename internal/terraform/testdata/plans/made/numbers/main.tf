locals { bump = 1 }
resource "terraform_data" "numbers" {
  input = {
    bump        = local.bump
    long_float  = 12345678901234567890.123
    long_int    = 98765432109876543210
    int64_max   = 9223372036854775807
    uint64_max  = 18446744073709551615
    float_exact = 9007199254740993
    small       = 0.1
    third       = 1 / 3
    tiny        = 0.0000000000000000000001
    huge        = 1e400
    negative    = -12345678901234567890
    whole_float = 5.0
    list        = [1, 1.0, "1", true, null]
    string      = "12345678901234567890.123"
  }
}
resource "terraform_data" "one_digit_changes" {
  input = 12345678901234567890.123 + local.bump
}
