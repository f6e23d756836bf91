"""Tools: what the agent can do besides talking. One file for each place where they come from.

    function.py   a Python function          python.py   the project's files of them
    http.py       a request, written down    mcp.py      what an MCP server offers
    builtin.py    hanging up, handing over, pressing keys

`tool.py` says what they have in common, `toolbox.py` holds those of an agent.
"""

from voicebot.brain.tools.builtin import ENDINGS, HAND_OVER, end_call, hand_over, hand_over_words, press_keys
from voicebot.brain.tools.function import Function
from voicebot.brain.tools.tool import Act, Manner, Outcome, Tool
from voicebot.brain.tools.toolbox import Toolbox, toolbox_of

__all__ = [
    "ENDINGS",
    "HAND_OVER",
    "Act",
    "Function",
    "Manner",
    "Outcome",
    "Tool",
    "Toolbox",
    "end_call",
    "hand_over",
    "hand_over_words",
    "press_keys",
    "toolbox_of",
]
