"""A running `voicebot serve`, watched from here: its calls, live."""
