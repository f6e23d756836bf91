"""Benchmarks: programs that print measurements. Nothing here is installed, and nothing here is a test."""
