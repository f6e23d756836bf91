"""What an agent must not hear, pass on or say: the `guardrails` of an agent file.

    guardrails: {pii: redact, toxicity: block, injection: block}

A rail that is not named does not run. A single word stands for what is done about it; `key: value` lines say more.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from voicebot import references
from voicebot.agent.values import Duration, OneOrMore, Part, Text, as_list
from voicebot.errors import did_you_mean

PiiKind = Literal["card", "ssn", "iban", "email", "phone", "birth_date", "name", "address"]
Rail = Literal["pii", "toxicity", "injection", "topic", "never_say"]
PII_KINDS: tuple[PiiKind, ...] = get_args(PiiKind)


def _off_is_a_word(value: Any) -> Any:
    """YAML reads a bare `off` as false."""
    return "off" if value is False else value


def _regex(saying: str) -> str:
    if len(saying) > 2 and saying.startswith("/") and saying.endswith("/"):
        try:
            re.compile(saying[1:-1])
        except re.error as error:
            raise ValueError(f"'{saying}' is no regular expression: {error}.") from None
    return saying


_Action = Literal["off", "flag", "redact", "block", "hand_over"]
ACTIONS: tuple[str, ...] = get_args(_Action)
Action = Annotated[_Action, BeforeValidator(_off_is_a_word, json_schema_input_type=_Action)]
"""`off`: not looked at. `flag`: noted in the call's record. `redact`: taken out, the call goes on. `block`: not passed
on; the caller hears a refusal. `hand_over`: the caller hears so and is passed on to the agent's `handoff`."""


class Pii(Part):
    """Private data: payment cards, numbers of persons and accounts, names, addresses."""

    caller: Action = "redact"
    """What is done when the caller says something private."""
    results: Action = "redact"
    """What is done when a tool or the knowledge returns something private."""
    agent: Action = "redact"
    """What is done when the agent is about to say something private that the caller has not told it in this call."""
    kinds: OneOrMore[PiiKind] = Field(default=list(PII_KINDS))
    """What counts as private: `card`, `ssn`, `iban`, `email`, `phone`, `birth_date`, `name`, `address`."""
    model: Literal["redacted", "raw"] = "redacted"
    """What the language model gets: `redacted`, a placeholder such as `[card 1]`, for which tools receive the real
    value; or `raw`, what was said."""
    records: Literal["redacted", "raw"] = "redacted"
    """What the call's record and traces hold. The log holds nothing private in any case."""
    keep: OneOrMore[Text] = Field(default=[])
    """Values that are never private, such as the firm's own telephone number and e-mail address."""


class Toxicity(Part):
    """Threats, insults, hate, sexual harassment, self-harm."""

    caller: Action = "block"
    """What is done when the caller is abusive. Swearing at things is let through."""
    agent: Action = "block"
    """What is done when the agent is about to be."""
    self_harm: Action = "hand_over"
    """What is done when a caller speaks of harming themselves."""


class Injection(Part):
    """Attempts to make the agent forget its orders, reveal them or abuse its tools."""

    caller: Action = "block"
    """What is done when the caller tries."""
    results: Action = "redact"
    """What is done when the result of a tool or a passage of the knowledge holds orders for the agent. `redact` takes
    out the sentences concerned, `block` the whole result."""
    agent: Action = "block"
    """What is done when the agent is about to recite its own prompt."""


class Topic(Part):
    """A topic and the words that give it away."""

    name: Text
    """What the record calls it."""
    words: OneOrMore[Text]
    """Words and phrases of it; all their inflections count, and a `*` at the end of a word stands for any ending."""


class Topics(Part):
    """What the agent does not talk about."""

    deny: list[Text | Topic] = Field(default=[])
    """Topics that are refused: words, phrases, or mappings of `name` and `words`."""
    allow: OneOrMore[Text] = Field(default=[])
    """Phrases that are fine although a denied word is in them."""
    action: Action = "block"
    """What is done about a denied topic, whoever brings it up."""


class NeverSay(Part):
    """What the agent does not say."""

    texts: OneOrMore[Annotated[Text, AfterValidator(_regex)]]
    """Texts, or regular expressions between slashes. Case, punctuation and how a number is said do not matter."""
    action: Action = "block"
    """What is done when the agent is about to say one. `redact` leaves out just those words."""


class Judge(Part):
    """A language model that is asked for what the rules let through."""

    llm: Annotated[Text, AfterValidator(references.llm)]
    """The model, as `provider/model`; a small and fast one will do."""
    timeout: Annotated[Duration, Field(gt=0, le=30)] = 1.0
    """How long its verdict is waited for: `500ms`, `1s`."""
    on_failure: Literal["pass", "block"] = "pass"
    """What happens to a turn without a verdict."""


def _said_something(value: Any) -> Any:
    if value is None:
        raise ValueError("it says nothing. Write what is done, for example 'block', or leave the rail out.")
    return _off_is_a_word(value)


def _texts_for(field: str) -> BeforeValidator:
    """A text or a list stands for a mapping with this one key."""

    def full(value: Any) -> Any:
        value = _said_something(value)
        return {field: as_list(value)} if isinstance(value, str | list) else value

    return BeforeValidator(full, json_schema_input_type=str | list[Any] | dict[str, Any])


def _everywhere(*sides: str) -> BeforeValidator:
    """A word stands for that action on every side; `off` for no rail."""

    def full(value: Any) -> Any:
        value = _said_something(value)
        if not isinstance(value, str):
            return value
        if value not in ACTIONS:
            raise ValueError(f"'{value}' is no action.{did_you_mean(value, ACTIONS)}")
        return None if value == "off" else dict.fromkeys(sides, value)

    return BeforeValidator(full, json_schema_input_type=_Action | dict[str, Any])


def _for_all_rails(value: Any) -> Any:
    return dict.fromkeys(get_args(Rail), value) if isinstance(value, str) else value


class Guardrails(Part):
    """What the agent must not hear, pass on or say. Rules decide, on this machine and without a model."""

    pii: Annotated[Pii | None, _everywhere("caller", "results", "agent")] = None
    """Private data: cards, social security numbers, IBANs, e-mail addresses, telephone numbers, dates of birth, names,
    addresses, as written and as spoken. One word for all sides, usually `redact`, or a mapping."""
    toxicity: Annotated[Toxicity | None, _everywhere("caller", "agent")] = None
    """Threats, insults, hate, sexual harassment, self-harm: one word for both sides, usually `block`, or a mapping."""
    injection: Annotated[Injection | None, _everywhere("caller", "results", "agent")] = None
    """Attempts to give the agent other orders: one word for all sides, usually `block`, or a mapping."""
    topics: Annotated[Topics | None, _texts_for("deny")] = None
    """What the agent does not talk about: a list, or a mapping of `deny`, `allow` and `action`."""
    never_say: Annotated[NeverSay | None, _texts_for("texts")] = None
    """What the agent does not say: texts, regular expressions between slashes, or a mapping of `texts` and `action`."""
    refusal: Annotated[
        dict[Rail, Text], BeforeValidator(_for_all_rails, json_schema_input_type=str | dict[Rail, str])
    ] = Field(default={})
    """What the caller hears when something is refused: one sentence, or one for each rail. Without it, a sentence in
    the agent's language."""
    judge: Judge | None = None
    """A language model as the second opinion on what the rules let through."""
