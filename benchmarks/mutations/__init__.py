"""Does a suite notice? Faults are planted in a good agent, and the comparison has to name them."""
