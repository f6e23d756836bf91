"""Simulated callers: who they are, what they want and how they speak."""
