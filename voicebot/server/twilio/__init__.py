"""Calls of a telephone network: what Twilio asks by webhook, what it is told, and whether it is Twilio that asks."""

from voicebot.server.twilio.operator import Operator
from voicebot.server.twilio.routes import routes
from voicebot.server.twilio.signature import Asked, Signatures, Unsigned

__all__ = ["Asked", "Operator", "Signatures", "Unsigned", "routes"]
