"""The studio's two themes. Every colour a widget uses has its name here, so that light and dark say the same.

The speakers have the colours they have on the command line: the agent cyan, the caller green, tools amber.
"""

from __future__ import annotations

from textual.theme import Theme

from voicebot.latency import Stage

GOOD_MS, POOR_MS = 1000, 2000
"""Voice to voice: people notice from about a second on."""

DARK = Theme(
    name="voicebot-dark",
    dark=True,
    primary="#5cc8ff",
    secondary="#8b9bb4",
    accent="#5cc8ff",
    warning="#f2b155",
    error="#ff6b72",
    success="#62d196",
    foreground="#d7dee9",
    background="#0e1218",
    surface="#141a22",
    panel="#1c2430",
    variables={
        "agent": "#5cc8ff",
        "caller": "#62d196",
        "tool": "#f2b155",
        "dim": "#6f7e94",
        "line": "#2a3442",
        "stage-silence": "#59677c",
        "stage-turn": "#ff8f4d",
        "stage-stt": "#62d196",
        "stage-brain": "#d57cff",
        "stage-clause": "#9a86ff",
        "stage-voice": "#5cc8ff",
        "stage-playback": "#e3c85b",
        "border": "#5cc8ff",
        "border-blurred": "#2a3442",
        "block-cursor-background": "#223449",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#1a222d",
        "block-cursor-blurred-foreground": "#d7dee9",
        "footer-background": "#0e1218",
        "footer-key-foreground": "#5cc8ff",
        "footer-description-foreground": "#8b9bb4",
        "input-selection-background": "#5cc8ff 30%",
        "scrollbar": "#2a3442",
        "scrollbar-hover": "#3b4859",
        "scrollbar-active": "#5cc8ff",
        "scrollbar-background": "#0e1218",
        "scrollbar-background-hover": "#0e1218",
        "scrollbar-background-active": "#0e1218",
        "scrollbar-corner-color": "#0e1218",
    },
)

LIGHT = Theme(
    name="voicebot-light",
    dark=False,
    primary="#0073b7",
    secondary="#5b6b80",
    accent="#0073b7",
    warning="#a86400",
    error="#c5303a",
    success="#1a7f4b",
    foreground="#1d2733",
    background="#fbfbf9",
    surface="#f3f4f2",
    panel="#e8ebec",
    variables={
        "agent": "#0073b7",
        "caller": "#1a7f4b",
        "tool": "#a86400",
        "dim": "#6a7685",
        "line": "#d3d9de",
        "stage-silence": "#98a4b3",
        "stage-turn": "#d9661f",
        "stage-stt": "#2c9c62",
        "stage-brain": "#a43fd1",
        "stage-clause": "#6d57d8",
        "stage-voice": "#1e8fd5",
        "stage-playback": "#b3921b",
        "border": "#0073b7",
        "border-blurred": "#d3d9de",
        "block-cursor-background": "#cfe5f5",
        "block-cursor-foreground": "#0b1620",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#e6ebef",
        "block-cursor-blurred-foreground": "#1d2733",
        "footer-background": "#fbfbf9",
        "footer-key-foreground": "#0073b7",
        "footer-description-foreground": "#5b6b80",
        "input-selection-background": "#0073b7 25%",
        "scrollbar": "#cdd4da",
        "scrollbar-hover": "#b3bdc6",
        "scrollbar-active": "#0073b7",
        "scrollbar-background": "#fbfbf9",
        "scrollbar-background-hover": "#fbfbf9",
        "scrollbar-background-active": "#fbfbf9",
        "scrollbar-corner-color": "#fbfbf9",
    },
)


def grade(v2v_ms: float) -> str:
    """The colour of a voice-to-voice latency."""
    if v2v_ms < 0 or v2v_ms >= POOR_MS:
        return "$error"
    return "$success" if v2v_ms < GOOD_MS else "$warning"


def colour(stage: Stage) -> str:
    """Of a stage of a waterfall; configured waiting is nobody's fault and grey."""
    return "$stage-silence" if stage.kind == "waiting" else f"$stage-{stage.name}"
