"""Recorded calls: find one, replay it with everything that happened in it, hold two beside each other."""
