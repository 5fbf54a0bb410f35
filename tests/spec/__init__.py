"""What the schemas say, and whether the generated types say the same."""
