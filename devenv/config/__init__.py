"""Text files to a validated Environment: positions, schema, include and merge with origins."""
