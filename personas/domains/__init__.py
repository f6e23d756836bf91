"""What simulated callers understand and say in one kind of call, one YAML file each."""
