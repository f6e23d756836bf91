"""The REST interface and what stands in front of it."""
