"""Simulated callers: meet them, hear them, draw new ones, and let one call an agent."""
