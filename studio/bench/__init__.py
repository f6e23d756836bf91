"""Two variants of an agent on the same scenarios, and whether the difference is more than chance."""
