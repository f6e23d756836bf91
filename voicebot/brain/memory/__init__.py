"""What a call remembers of itself: the last turns word for word, and a note on everything before them."""

from voicebot.brain.memory.meter import estimated_tokens, message_tokens, tool_tokens
from voicebot.brain.memory.window import CONTEXT, Memory

__all__ = ["CONTEXT", "Memory", "estimated_tokens", "message_tokens", "tool_tokens"]
