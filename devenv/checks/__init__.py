"""Pure: what `devenv doctor` looks at. Facts come through small ports; each check is a value with a stable id."""
