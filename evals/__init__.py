"""What faces show and evals score: suites, checks, metrics."""
