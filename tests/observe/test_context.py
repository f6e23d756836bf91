from __future__ import annotations

import asyncio

import pytest

from voicebot.observe import span_id, trace_id
from voicebot.observe.context import Here, Parent, enter, enter_tool, headers, parent_of, tool_key

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("header", "parent"),
    [
        (f"00-{TRACE}-{SPAN}-01", Parent(TRACE, SPAN, True)),
        (f" 00-{TRACE}-{SPAN}-00 ", Parent(TRACE, SPAN, False)),
        (f"00-{TRACE}-{SPAN}-03", Parent(TRACE, SPAN, True)),
        (f"cc-{TRACE}-{SPAN}-01-what-comes-later", Parent(TRACE, SPAN, True)),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        (f"cc-{TRACE}-{SPAN}-01more", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{TRACE[1:]}-{SPAN}-01", None),
        ("00-zz", None),
        ("", None),
    ],
)
def test_a_traceparent_is_followed_as_the_recommendation_says(header: str, parent: Parent | None) -> None:
    assert parent_of(header) == parent


def test_nothing_is_passed_on_where_nobody_traces() -> None:
    enter_tool("a")
    assert headers() == {}


async def test_what_a_tool_asks_for_is_a_part_of_the_tool_and_of_nothing_else() -> None:
    enter(Here("call-1", trace_id("call-1"), sampled=True))

    async def tool(id_: str) -> str:
        enter_tool(id_)
        await asyncio.sleep(0)
        return await asyncio.to_thread(lambda: headers()["traceparent"])

    asked = await asyncio.gather(tool("a"), tool("b"))
    assert list(asked) == [f"00-{trace_id('call-1')}-{span_id('call-1', tool_key(id_))}-01" for id_ in ("a", "b")]
    assert headers()["traceparent"] == f"00-{trace_id('call-1')}-{span_id('call-1', 'call')}-01"
    assert parent_of(asked[0]) == Parent(trace_id("call-1"), span_id("call-1", "tool a"), True)
