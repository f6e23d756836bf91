"""Measuring the parts of an agent one by one: how well it hears, how fast it speaks and answers, what rails stop."""
