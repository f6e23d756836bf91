"""The systems compared. Each module is a server: `python -m benchmarks.systems.NAME PORT`."""

from __future__ import annotations

SYSTEMS = {
    "vanilla": "Pipecat 1.14 as its documentation builds it",
    "bare": "the same models on the same wire, no framework",
    "voicebot": "voicebot.Call",
}
