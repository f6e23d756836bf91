"""The note on the turns that are not shown any more."""

from __future__ import annotations

import json
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from voicebot.brain.memory.meter import estimated_tokens
from voicebot.brain.memory.note import LONGEST_RESULT_CHARACTERS, OPENING, Note, noted, transcript

BOOKED = '{"outcome":"booked","day":"Tuesday"}'


def tool(id_: str, name: str, result: str, *, ok: bool = True, **arguments: Any) -> list[AnyMessage]:
    asked = AIMessage(
        "", id=f"ask-{id_}", tool_calls=[{"name": name, "args": arguments, "id": id_, "type": "tool_call"}]
    )
    return [asked, ToolMessage(result, tool_call_id=id_, name=name, status="success" if ok else "error", id=f"r-{id_}")]


def conversation() -> list[AnyMessage]:
    return [
        AIMessage("Hello, this is Ava.", id="g"),
        HumanMessage("my name is maria lopez", id="1"),
        AIMessage("Which day?", id="2"),
        HumanMessage("tuesday please", id="3"),
        *tool("c", "book", BOOKED, day="Tuesday"),
        AIMessage("A cleaning is 90 dollars.", id="6"),
    ]


def test_a_note_has_its_documented_shape():
    note = noted(None, conversation(), [], limit=500, summary="The caller wants a cleaning.", known={"name": "Maria"})
    assert note.text.splitlines() == [
        OPENING,
        "In short: The caller wants a cleaning.",
        'Said verbatim by the caller: "my name is maria lopez"; "tuesday please".',
        'Said verbatim by you: "Hello, this is Ava"; "A cleaning is 90 dollars".',
        f'Tools: book(day="Tuesday"): {BOOKED}.',
        "Known: name = Maria.]",
    ]
    assert note.through == "6"


def test_without_a_model_the_callers_turns_are_sketched():
    said = "could you please tell me whether there is a place to park near you because I come by car"
    note = noted(None, [HumanMessage(said, id="1")], [], limit=500)
    assert 'In short: The caller: "could you please tell me whether there is a place to park …"' in note.text


def test_a_note_goes_on_from_the_one_before():
    first = noted(None, conversation(), [], limit=500, summary="The caller wants a cleaning.")
    second = noted(first, [HumanMessage("my number is 212 555 0123", id="9")], [], limit=500)
    assert "The caller wants a cleaning." in second.text
    assert '"my name is maria lopez"; "tuesday please"; "my number is 212 555 0123"' in second.text
    assert BOOKED in second.text


def test_a_correction_takes_the_old_number_out_of_summaries_too():
    first = noted(None, [HumanMessage("my number is 212 555 0123", id="1")], [], limit=500)
    summary = "The caller gave 212 555 0123. They want a cleaning."
    second = noted(first, [HumanMessage("sorry, it's 212 555 0199", id="2")], [], limit=500, summary=summary)
    assert "0123" not in second.text
    assert "They want a cleaning." in second.text
    assert '"sorry, it\'s 212 555 0199" (corrected)' in second.text


def test_a_correction_that_is_still_shown_keeps_the_old_number_out_of_the_note():
    kept = [HumanMessage("sorry, it's 212 555 0199", id="2")]
    note = noted(None, [HumanMessage("my number is 212 555 0123", id="1")], kept, limit=500)
    assert "0123" not in note.text


def test_a_number_that_nobody_said_does_not_get_in_by_a_summary():
    summary = (
        "They asked for the price. Their number is 917 555 7777. It is two one two five five five oh one two three."
    )
    note = noted(None, [HumanMessage("my number is 212 555 0123", id="1")], [], limit=500, summary=summary)
    assert "7777" not in note.text
    assert "They asked for the price. It is two one two five five five oh one two three." in note.text


def test_a_tool_that_failed_is_not_listed_and_a_long_result_is_cut():
    messages = [*tool("1", "book", "no database", ok=False), *tool("2", "find", "slot " * 200)]
    note = noted(None, messages, [], limit=2000)
    assert "no database" not in note.text
    assert len(note.deeds[0].result) <= LONGEST_RESULT_CHARACTERS


def test_the_latest_result_of_the_same_call_counts():
    first = noted(None, tool("1", "status", "on its way"), [], limit=500)
    second = noted(first, tool("2", "status", "delivered"), [], limit=500)
    assert "delivered" in second.text
    assert "on its way" not in second.text


def test_what_confirms_something_stays_longest():
    searches = [each for number in range(20) for each in tool(f"s{number}", "find", "free: ten, eleven", day=number)]
    note = noted(None, [*tool("b", "book", BOOKED, day="Tuesday"), *searches], [], limit=400)
    assert BOOKED in note.text
    assert note.text.count("find(") < 20


def test_a_note_keeps_to_its_limit():
    words = [HumanMessage(f"order A{number}B7 for {number} people on monday, my name is Tom{number}", id=str(number))
             for number in range(200)]  # fmt: skip
    note = noted(None, words, [], limit=400)
    assert estimated_tokens(note.text) <= 400
    assert "order A199B7" in note.text or "A199B7" in note.text


def test_redactions_are_never_cut_in_two():
    long = " ".join(["word"] * 11)
    note = noted(None, [HumanMessage(f"{long} [card 1] and more words after it", id="1")], [], limit=500)
    assert "[card 1]" in note.text
    assert note.text.replace("[card 1]", "").count("[") == 1
    cut = noted(None, tool("1", "find", "x" * (LONGEST_RESULT_CHARACTERS - 5) + " [card 1] behind"), [], limit=2000)
    assert "[card" not in cut.deeds[0].result


def test_a_note_survives_a_checkpoint():
    note = noted(None, conversation(), [], limit=500, summary="In short.")
    again = Note.of(json.loads(json.dumps(note.saved())), [*conversation(), HumanMessage("and 3 more", id="9")])
    assert again == note
    assert again.text == note.text


def test_a_transcript_tells_who_said_what():
    assert transcript([HumanMessage("", id="0"), *conversation()[1:]]).splitlines() == [
        "Caller: (silent)",
        "Caller: my name is maria lopez",
        "Agent: Which day?",
        "Caller: tuesday please",
        "Agent: A cleaning is 90 dollars.",
        f'Tool book(day="Tuesday"): {BOOKED}',
    ]
