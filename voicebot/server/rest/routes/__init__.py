"""The REST interface, a file for each kind of thing."""

from voicebot.server.rest.routes import agents, calls, events, health, listen, numbers

ALL = (agents.router, calls.router, events.router, health.router, listen.router, numbers.router)

__all__ = ["ALL"]
