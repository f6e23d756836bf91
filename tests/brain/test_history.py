"""Whatever the conversation holds, a model is sent something it accepts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage

from tests.doubles.strict_server import accepts
from voicebot.brain.heard import INTERRUPTED
from voicebot.brain.history import CONNECTED, CUT_IN, NOT_RUN, SILENT, for_model, unanswered

SYSTEM = SystemMessage("You are Ava.")


def call(id_: str) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "book", "args": {}, "id": id_, "type": "tool_call"}])


def sent(*messages: AnyMessage) -> list[tuple[str, str]]:
    return [(message.type, message.text) for message in for_model(SYSTEM, messages)[1:]]


def test_the_greeting_answers_the_call_itself():
    assert sent(AIMessage("Hello."), HumanMessage("hi")) == [("human", CONNECTED), ("ai", "Hello."), ("human", "hi")]


def test_a_silent_caller_is_said_to_be_silent():
    assert sent(HumanMessage("hi"), AIMessage("Hello."), HumanMessage(""))[-1] == ("human", SILENT)


def test_the_model_learns_of_an_interruption_on_the_callers_side():
    cut = AIMessage("We open", additional_kwargs={INTERRUPTED: True})
    turns = sent(HumanMessage("hi"), cut, HumanMessage("stop"))
    assert turns == [("human", "hi"), ("ai", "We open"), ("human", f"{CUT_IN}\nstop")]


def test_words_of_one_side_in_a_row_become_one_message():
    turns = sent(HumanMessage("I want"), HumanMessage("a cleaning"), AIMessage("Sure."), AIMessage("Which day?"))
    assert turns == [("human", "I want\na cleaning"), ("ai", "Sure. Which day?")]


def test_a_tool_call_without_a_result_is_answered():
    messages = [HumanMessage("book"), call("1"), HumanMessage("wait")]
    assert [message.type for message in for_model(SYSTEM, messages)] == ["system", "human", "ai", "tool", "human"]
    (result,) = unanswered(messages)
    assert (result.tool_call_id, result.text, result.status) == ("1", NOT_RUN, "error")


def test_a_late_result_moves_behind_its_call():
    result = ToolMessage("done", tool_call_id="1")
    messages = [HumanMessage("book"), call("1"), HumanMessage("wait"), result]
    assert for_model(SYSTEM, messages)[3] is result
    assert len(for_model(SYSTEM, messages)) == 5


def test_the_same_conversation_is_sent_as_the_same_bytes():
    messages = [AIMessage("Hello.", id="1"), HumanMessage("hi", id="2")]
    again = [AIMessage("Hello.", id="3"), HumanMessage("hi", id="4")]
    assert [m.content for m in for_model(SYSTEM, messages)] == [m.content for m in for_model(SYSTEM, again)]


def test_a_note_opens_the_conversation():
    told = for_model(SYSTEM, [HumanMessage("hi"), AIMessage("Hello.")], note="[Notes.]")
    assert [(m.type, m.text) for m in told[1:]] == [("human", "[Notes.]\nhi"), ("ai", "Hello.")]


def test_a_note_stands_alone_before_words_of_the_agent():
    told = for_model(SYSTEM, [AIMessage("Hello."), HumanMessage("hi")], note="[Notes.]")
    assert [(m.type, m.text) for m in told[1:]] == [("human", "[Notes.]"), ("ai", "Hello."), ("human", "hi")]


def test_what_is_for_this_turn_follows_the_callers_words_and_leaves_what_is_before_as_it_was():
    messages = [
        HumanMessage("hi"),
        AIMessage("Hello."),
        HumanMessage("open?"),
        call("1"),
        ToolMessage("8", tool_call_id="1"),
    ]
    plain, told = for_model(SYSTEM, messages), for_model(SYSTEM, messages, aside="<passage>")
    assert told[3].text == "open?\n\n<passage>"
    assert [m for place, m in enumerate(told) if place != 3] == [m for place, m in enumerate(plain) if place != 3]


_MESSAGE = st.one_of(
    st.builds(HumanMessage, st.text(max_size=5)),
    st.builds(AIMessage, st.text(max_size=5)),
    st.builds(lambda: "call"),
    st.builds(lambda: "result"),
)


@given(st.lists(_MESSAGE, max_size=12))
def test_any_conversation_is_accepted_by_strict_servers(plan: list[AnyMessage | str]):
    messages: list[AnyMessage] = []
    asked: list[str] = []
    for index, each in enumerate(plan):
        if each == "call":
            asked.append(str(index))
            messages.append(call(str(index)))
        elif each == "result" and asked:
            messages.append(ToolMessage("done", tool_call_id=asked.pop(0)))
        elif not isinstance(each, str):
            messages.append(each)
    assert accepts(for_model(SYSTEM, messages))
    assert accepts(for_model(SYSTEM, messages, note="[Notes.]", aside="<passage>"))
