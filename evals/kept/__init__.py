"""What is kept of runs: what was asked for, what happened, how it was judged, and what later runs are held against."""
