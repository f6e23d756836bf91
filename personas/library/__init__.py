"""The personas that ship with voicebot, one YAML file each."""
