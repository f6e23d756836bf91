"""The servers that are compared, each a program: `python -m voicebot.evals.bench.calls.systems.NAME PORT`.

bare        the same models on the same wire with no framework: the floor
pipecat     Pipecat as its documentation builds a telephone agent
voicebot    `voicebot serve` itself
"""

from __future__ import annotations
