"""voicebot: create, talk to, test and serve voice AI agents."""

__version__ = "0.1.0"
