"""Suites: run one and watch it, open what failed, hold it against the baseline."""
