"""What stands beside the conversation: who speaks, the step the agent is at, and what it has learned."""

from __future__ import annotations

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from voicebot.studio.look.script import short

from .now import Now, Speaker

WORDS: dict[Speaker, tuple[str, str]] = {
    "": ("○ quiet", "$dim"),
    "caller": ("● you speak", "$caller bold"),
    "agent": ("● agent speaks", "$agent bold"),
    "thinking": ("◐ agent thinks", "$warning bold"),
}


def speaking(now: Now) -> Content:
    words, style = WORDS[now.speaker]
    return Content.styled(f"⚙ {now.tool} runs", "$tool bold") if now.tool else Content.styled(words, style)


class StatusLine(Widget):
    """All of it in one line, above where one types."""

    DEFAULT_CSS = "StatusLine { height: 1; width: 1fr; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._line = Content()

    def show(self, line: Content) -> None:
        if not line.is_same(self._line):
            self._line = line
            self.refresh()

    def render(self) -> RenderResult:
        return self._line.truncate(self.size.width, ellipsis=True)


class StateView(Widget):
    """The step, the slots filled so far, and what was counted."""

    DEFAULT_CSS = "StateView { height: auto; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._now: Now | None = None

    def show(self, now: Now) -> None:
        self._now = now
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(len(self._lines(width)), 1)

    def render(self) -> RenderResult:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        now = self._now
        if now is None or not now.told:
            return [Content.styled("What the agent knows will stand here.", "$dim")]
        lines = [_pair("at", now.node, width, "$foreground bold")] if now.node else []
        lines += [_pair(name, short(value, 80), width) for name, value in now.slots.items() if value is not None]
        counted = [f"{now.tools} tool calls"] if now.tools else []
        counted += [f"{now.guarded} guardrail hits"] if now.guarded else []
        counted += [f"{now.money} so far"] if now.money else []
        lines += [Content.styled(" · ".join(counted), "$dim")] if counted else []
        lines += [Content.styled(now.stack, "$dim")] if now.stack else []
        return [line.truncate(width, ellipsis=True) for line in lines]


def _pair(name: str, value: str, width: int, style: str = "$foreground") -> Content:
    return Content.assemble((f"{name:<10} ", "$dim"), (value, style))
