"""Making the calls of a run: in processes of this machine or on a cluster, within a budget, invalid ones again."""
