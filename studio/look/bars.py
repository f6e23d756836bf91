"""A waterfall as a bar: stages side by side in their colours, half a cell exact."""

from __future__ import annotations

from textual.content import Content

from voicebot.latency import Waterfall

from .theme import colour, grade


def bar(fall: Waterfall, ms_per_cell: float) -> Content:
    """All of a turn's stages, from the end of the caller's speech to the agent's first sound."""
    half = ms_per_cell / 2
    owners = [
        colour(stage)
        for stage in fall.stages
        for _ in range(round((stage.start_ms + stage.duration_ms) / half) - round(stage.start_ms / half))
    ]
    if len(owners) % 2:
        owners.append("")
    parts: list[tuple[str, str]] = []
    for left, right in zip(owners[::2], owners[1::2], strict=True):
        parts.append(("█", left) if left == right else ("▌", f"{left} on {right}" if right else left))
    return Content.assemble(*parts)


def latency(fall: Waterfall) -> Content:
    """'364 ms' in the colour of how good that is, or why there is no figure."""
    if fall.v2v_ms is None:
        return Content.styled("no answer", "$error")
    if fall.v2v_ms < 0:
        return Content.styled("too early", "$error")
    return Content.styled(f"{fall.v2v_ms:.0f} ms", f"{grade(fall.v2v_ms)} bold")


def parts(fall: Waterfall) -> Content:
    """'silence 200  stt 95  brain 60': the parts, which add up to the whole, in the bar's colours."""
    pieces = [
        Content.assemble((f"{stage.name} ", "$dim"), (str(ms), colour(stage))) for stage, ms in fall.rounded() if ms
    ]
    return Content("  ").join(pieces)
