"""Tool calls: what may be written, what is read out of it, and what no schema from elsewhere may do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("llama_cpp", reason="the extra 'llama' is not installed; get it with: make llama")

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage

from tests.doubles import tiny_llama
from voicebot.llm import llama
from voicebot.llm.llama import calls, grammar, machine
from voicebot.llm.llama import engine as engines
from voicebot.llm.llama.calls import CallReader
from voicebot.llm.llama.native import Part, Weights
from voicebot.llm.llama.sampling import Sampler
from voicebot.llm.llama.syntax import HERMES, LLAMA, Syntax


def tool(name: str, **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": "x", "parameters": parameters}}


def read(syntax: Syntax, pieces: list[str]) -> list[tuple[str, str]]:
    """(name, arguments) of the calls in what was written."""
    reader = CallReader(syntax)
    found: dict[int, tuple[str, str]] = {}
    for part in [*(part for piece in pieces for part in reader.take(piece)), *reader.close()]:
        name, arguments = found.get(part.index, ("", ""))
        found[part.index] = (name + part.name, arguments + part.arguments)
    return list(found.values())


ARGUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(), ARGUMENTS), st.text(min_size=1), st.lists(st.integers(1, 200)), st.booleans())
def test_a_call_is_read_the_same_however_it_is_cut(arguments: dict[str, Any], name: str, cuts: list[int], tight: bool):
    separators = (",", ":") if tight else None
    written = json.dumps({"name": name, "parameters": arguments}, separators=separators, ensure_ascii=False)
    at = sorted({cut for cut in cuts if cut < len(written)})
    pieces = [written[begin:end] for begin, end in zip([0, *at], [*at, None], strict=True)]
    ((read_name, read_arguments),) = read(LLAMA, pieces)
    assert read_name == name
    assert json.loads(read_arguments) == arguments


def test_several_calls_are_read_where_the_syntax_has_them():
    one, other = ({"name": name, "arguments": {"a": "</tool_call>"}} for name in ("one", "other"))
    written = "".join(f"<tool_call>\n{json.dumps(call)}\n</tool_call>\n" for call in (one, other))
    assert [name for name, _ in read(HERMES, list(written))] == ["one", "other"]


def test_what_is_no_call_is_a_bad_one_and_not_words():
    assert read(LLAMA, ["{'name'", ": oops}"]) == [("", "{'name': oops}")]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weights]:
    made = Weights(tiny_llama.random_weights(tmp_path_factory.mktemp("grammar") / "any.gguf"))
    yield made
    made.free()


def written_under(text: str, weights: Weights, most: int = 400) -> str:
    """What gibberish becomes under a grammar."""
    context = weights.context(1)
    sampler = Sampler(weights, 1.0, seed=1)
    assert sampler.constrain(text)
    tokens, said = weights.tokens("x"), b""
    _, rows = context.decode([Part(0, 0, tokens, answer=True)])
    for at in range(len(tokens), len(tokens) + most):
        token = sampler.choose(context, rows[0])
        if token is None or weights.ends(token):
            break
        said += weights.piece(token)
        _, rows = context.decode([Part(0, at, [token], answer=True)])
    sampler.free()
    context.free()
    return said.decode()


def test_gibberish_becomes_a_call_that_keeps_to_its_schema(weights: Weights, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine, "cores", lambda: 1)
    person = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    shape = tool(
        "book",
        day={"enum": ["monday", "tuesday"]},
        note={"type": "string", "maxLength": 5},
        who={"$ref": "#/$defs/P"},
    )
    shape["function"]["parameters"]["$defs"] = {"P": person}
    ((name, arguments),) = read(LLAMA, [written_under(grammar.of_calls([shape], LLAMA), weights)])
    found = json.loads(arguments)
    assert name == "book"
    assert found["day"] in ("monday", "tuesday")
    assert len(found["note"]) <= 5
    assert isinstance(found["who"]["age"], int)


def test_two_tools_with_definitions_of_the_same_name_do_not_mix():
    shapes = []
    for name, values in (("one", ["a"]), ("other", ["b"])):
        shape = tool(name, x={"$ref": "#/$defs/X"})
        shape["function"]["parameters"]["$defs"] = {"X": {"enum": values}}
        shapes.append(shape)
    text = grammar.of_calls(shapes, LLAMA)
    assert '"\\"a\\""' in text
    assert '"\\"b\\""' in text


HOSTILE: dict[str, Any] = {
    "long": {"type": "string", "maxLength": 10**6},
    "many": {"type": "array", "items": {"type": "integer"}, "maxItems": 10**6},
    "pattern": {"type": "string", "pattern": "^a{100000}$"},
    "lookahead": {"type": "string", "pattern": "(?=x)y"},
    "choices": {"enum": [f"v{number}" for number in range(10_000)]},
    "quotes": {"enum": ['"', "\\", "\n", "ä"]},
    "nothing": {},
    "anything": True,
    "remote": {"$ref": "https://example.com/schema"},
    "circle": {"$ref": "#/$defs/X"},
    "deep": json.loads('{"type": "array", "items": ' * 500 + '{"type": "null"}' + "}" * 500),
    "wrong": {"type": "banana"},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_schema_brings_the_process_down(name: str, weights: Weights):
    """Either it has a grammar that can be used, or none; the parser is C++ and would take everything with it."""
    shape = tool("t", x=HOSTILE[name])
    shape["function"]["parameters"]["$defs"] = {"X": {"$ref": "#/$defs/X"}}
    sampler = Sampler(weights, 0.0, seed=1)
    if text := grammar.of_calls([shape], LLAMA):
        sampler.constrain(text)
    sampler.free()


def test_a_tool_choice_that_names_no_tool_is_refused():
    with pytest.raises(ValueError, match="names 'cook', which is not among the tools"):
        calls.tools([tool("order")], "cook", LLAMA)


async def test_the_syntax_of_qwen_and_hermes_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The beginning of a call comes in several tokens, which are taken back when it is complete."""
    monkeypatch.setattr(machine, "cores", lambda: 1)
    call = ["Sure. ", "<tool", "_call>", '{"name": "order",', ' "arguments": {"dish":', ' "soup"}}', "</tool_call>"]
    path = tiny_llama.scripted(
        tmp_path / "hermes.gguf", {"soup": call, "": ["I am < than ", "you. <", "tool"]}, template=tiny_llama.HERMES
    )
    model = (await llama.connect(str(path), temperature=0.0)).model.bind_tools([tool("order", dish={"type": "string"})])
    answer = await model.ainvoke([HumanMessage("soup")])
    assert isinstance(answer, AIMessage)
    assert (answer.content, answer.tool_calls[0]["args"]) == ("Sure. ", {"dish": "soup"})
    assert (await model.ainvoke([HumanMessage("hi")])).content == "I am < than you. <tool"
    engines.close_all()
