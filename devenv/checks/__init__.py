"""What `devenv doctor` looks at: each check is a value with a stable id, and judges facts from small ports."""
