"""New personas whose manners and phrasings a language model writes, checked like any other file.

Names, voices and lines are drawn from the space as without a model, so that the voices are ones that can be understood;
the model writes `about`, `temperament` and `says`. What it writes has to fit the schema; it may try a second time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import yaml

from voicebot import clock
from voicebot.errors import BadInput, Unavailable
from voicebot.llm import LLM, fault

from . import generate
from .generate import Drawn
from .temperament import Temperament

LONGEST_S = 120.0
OCCASIONS = ("yes", "right", "nothing_else", "nobody_there", "confused", "give_up", "goodbye", "human", "backchannel")
"""What a persona may put in its own words whatever the call is about."""
_TRIES = 2

_TASK = """You invent callers who test an automated telephone agent. For each of these people, in this order, write who
they are on the telephone:

{people}

Answer with a JSON list of {n} objects and nothing else. Each object has exactly these keys:
"about": one sentence in English: the person and their manner. They have no matter of their own: do not say why they
call.
"temperament": an object of this JSON schema; leave out every habit the person does not have (most have one or two):
{schema}
"says": an object; keys are some of {occasions}; each value is a list of one to three short phrasings, in lower case, as
this person says them on the telephone. Leave out what they would say like everybody else.
No two people may have the same habits."""

_AGAIN = "\n\nYour last answer would not do: {problem}\nAnswer again with the whole JSON list."


async def invented(llm: LLM, n: int, seed: int = 0) -> list[Drawn]:
    """`n` personas in the model's words. Raises BadInput when it cannot write valid ones, Unavailable when it fails."""
    people = generate.casts(n, seed)
    task = _TASK.format(
        people=json.dumps(people, indent=1),
        n=n,
        schema=json.dumps(Temperament.model_json_schema()),
        occasions=", ".join(OCCASIONS),
    )
    problem = ""
    for _ in range(_TRIES):
        answer = await _asked(llm, task + (_AGAIN.format(problem=problem) if problem else ""))
        try:
            return _read(answer, people)
        except BadInput as error:
            problem = str(error)
    raise BadInput(f"{llm.name} wrote no valid personas: {problem} Try another model, or leave out --llm.")


async def _asked(llm: LLM, task: str) -> str:
    from langchain_core.messages import HumanMessage

    limit_s = max(LONGEST_S, llm.silence_s)
    try:
        with clock.work():
            async with asyncio.timeout(limit_s):
                return "".join([chunk.text async for chunk in llm.model.astream(llm.shaped([HumanMessage(task)]))])
    except Exception as error:
        raise Unavailable(f"{fault(error, llm, limit_s).sentence} Without --llm no model is needed.") from error


def _read(answer: str, people: list[dict[str, Any]]) -> list[Drawn]:
    """The personas of an answer. Raises BadInput."""
    start, end = answer.find("["), answer.rfind("]")
    try:
        found = yaml.safe_load(answer[start : end + 1]) if 0 <= start < end else None
    except yaml.YAMLError:
        found = None
    if not isinstance(found, list) or len(found) != len(people):
        raise BadInput(f"expected a JSON list of {len(people)} objects.")
    made = [generate.read(_person(person, written)) for person, written in zip(people, found, strict=True)]
    alike = {each.persona.temperament.model_dump_json() for each in made}
    if len(alike) < len(made):
        raise BadInput("two people have the same temperament.")
    return made


def _person(person: Mapping[str, Any], written: Any) -> dict[str, Any]:
    if not isinstance(written, dict):
        raise BadInput(f"'{person['name']}' is no object.")
    surplus = sorted({*written} - {"about", "temperament", "says"})
    if surplus:
        raise BadInput(f"'{person['name']}' has the key '{surplus[0]}', which is not asked for.")
    return {**person, **written}
