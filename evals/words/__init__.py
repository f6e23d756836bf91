"""What was said against what was heard: word errors, numbers, names and codes."""
