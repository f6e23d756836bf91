"""The flow brain: a slot-filling dialogue that needs no language model."""
