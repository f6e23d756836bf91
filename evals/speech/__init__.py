"""Sentences that callers say in their own words, to measure speech recognition with."""
