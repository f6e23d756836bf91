"""Whether there is room for one more call, and the figures that say so."""
