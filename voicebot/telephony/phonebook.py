"""`phone.yaml`, the telephone settings of a project: which number reaches whom, and how calls go out.

    book = Phonebook.load(root)          # None when the project has no such file

Errors name file, line and column, as those of agent files do. What a rule decides is in routing.py.
"""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from voicebot import paths, validation, yamlfile
from voicebot.agent.values import Duration, OneOrMore, Part, Text, language_code
from voicebot.errors import BadInput, did_you_mean
from voicebot.telephony import e164
from voicebot.telephony.hours import Holiday, Hours, ZoneName, clock_time

FILE = "phone.yaml"
ANONYMOUS = "anonymous"
_SIP = re.compile(r"sips?:[^\s<>\"]{3,250}")
_PREFIX = re.compile(r"\+\d{1,14}\*")
Unreached = Literal["busy", "no_answer", "voicemail", "failed"]


def _number(text: str) -> str:
    try:
        return e164.e164(text)
    except BadInput as error:
        raise ValueError(str(error)) from None


def _reachable(text: str) -> str:
    return text if _SIP.fullmatch(text) else _number(text)


def _country(text: str) -> str:
    if text.upper() not in e164.countries():
        raise ValueError(f"'{text}' is no country. Write its code of two letters, as US or DE.")
    return text.upper()


def _callers(text: str) -> str:
    if text.lower() == ANONYMOUS or _PREFIX.fullmatch(text):
        return text.lower()
    return _country(text) if re.fullmatch(r"[A-Za-z]{2}", text) else _number(text)


def _percent(value: Any) -> Any:
    return value.strip()[:-1].strip() if isinstance(value, str) and value.strip().endswith("%") else value


def _agent(name: str, info: ValidationInfo) -> str:
    """Of the project in the context, when there is one."""
    if isinstance(info.context, Path):
        known = {file.stem for file in paths.agent_files(info.context)}
        if name not in known:
            raise ValueError(f"no agent '{name}' in {paths.AGENTS}/.{did_you_mean(name, known)}")
    return name


def _file(name: str, info: ValidationInfo) -> str:
    if isinstance(info.context, Path) and not (info.context / name).is_file():
        raise ValueError(f"{name} does not exist.")
    return name


AgentName = Annotated[Text, AfterValidator(_agent)]
Number = Annotated[Text, AfterValidator(_number)]
Reachable = Annotated[Text, AfterValidator(_reachable)]
Clock = Annotated[time, BeforeValidator(clock_time, json_schema_input_type=str)]


class Answer(Part):
    """Who takes a call: one of the three, or nobody."""

    agent: AgentName | None = None
    """An agent of the project, by the name of its file: `ava` is `agents/ava.yaml`."""
    number: Reachable | None = None
    """Another number (`+12025550123`) or a SIP address: the call is dialled on."""
    voicemail: Text | None = None
    """What the caller is told before the tone. What they say then is recorded at Twilio, and kept as a call."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        chosen = [name for name in ("agent", "number", "voicemail") if getattr(self, name) is not None]
        if len(chosen) > 1:
            raise ValueError(f"{chosen[1]}: only one of 'agent', 'number' and 'voicemail' can take a call.")
        return self


class Rule(Answer):
    """Who takes a call when everything that the rule says about it is true. A rule that says nothing is always true."""

    name: Text | None = None
    """What logs and `voicebot phone route` call it; by number otherwise. Callers keep their side of a `share` as long
    as this stays the same."""
    during: Text | None = None
    """While these hours, by their name in `hours`, are open."""
    outside: Text | None = None
    """While these hours are closed, holidays included."""
    callers: OneOrMore[Annotated[Text, AfterValidator(_callers)]] = Field(default=[])
    """Who calls: a number (`+12025550123`), the beginning of one (`+4930*`), a country (`DE`) or `anonymous`."""
    language: OneOrMore[Annotated[Text, AfterValidator(language_code)]] = Field(default=[])
    """Which language the caller speaks: what `?language=de` at the number's webhook says, else one of those of the
    caller's country. `de` stands for all kinds of German."""
    below: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """While the rule's agent has fewer calls than this, on all workers and machines together."""
    share: Annotated[float, Field(gt=0, le=100), BeforeValidator(_percent)] | None = None
    """For so many percent of the callers that come as far as this rule: `10` or `10%`. The same caller has the same
    answer each time; hidden numbers are one caller."""

    @model_validator(mode="after")
    def _says_who(self) -> Self:
        if self.agent is None and self.number is None and self.voicemail is None:
            raise ValueError("a rule says who takes the call: 'agent', 'number' or 'voicemail'.")
        if self.below is not None and self.agent is None:
            raise ValueError("below: only an agent has calls that can be counted; add 'agent'.")
        return self


class Line(Answer):
    """One number of yours. Beside its rules it can say itself who takes the calls that none of them is for."""

    rules: list[Rule] = Field(default=[])
    """From first to last; the first that is true decides."""


class Quiet(Part):
    """When nobody is called: the time of day where the called number is."""

    from_: Clock = Field(default=time(21), alias="from")
    """From then on ..."""
    to: Clock = time(8)
    """... until then."""

    def holds(self, moment: time) -> bool:
        if self.from_ <= self.to:
            return self.from_ <= moment < self.to
        return moment >= self.from_ or moment < self.to


class Retry(Part):
    """When a number is called again that could not be reached."""

    times: Annotated[int, Field(ge=0, le=10)] = 0
    """How often, beside the first time."""
    after: Annotated[Duration, Field(ge=1, le=86_400)] = 1800.0
    """How long to wait before: `30m`, `90s`."""
    when: OneOrMore[Unreached] = Field(default=["busy", "no_answer"])
    """After what: `busy`, `no_answer`, `voicemail`, `failed`. A call in doubt is never made again."""


class Outbound(Part):
    """How calls go out. Without it none do."""

    from_: OneOrMore[Number] = Field(alias="from", min_length=1)
    """The number that the called side sees, one of yours at Twilio. Of several, the first unless a call names one."""
    countries: OneOrMore[Annotated[Text, AfterValidator(_country)]] = Field(default=[])
    """Which countries may be called, as codes; without it, those of `from`. Numbers that cost extra never are."""
    ring: Annotated[Duration, Field(ge=5, le=600)] = 30.0
    """How long it rings before nobody answers."""
    detect_machines: bool = True
    """Whether Twilio listens for an answering machine (it costs extra). The agent talks meanwhile."""
    voicemail: Text | None = None
    """What the agent says to an answering machine, behind its tone, before it hangs up; without it, it hangs up. The
    variables of a call stand in it as `{{name}}`."""
    quiet: Quiet | None = Quiet()
    """When nobody is called. `null`: people are called at any time."""
    retry: Retry = Retry()
    """What a batch does about numbers that it could not reach."""
    do_not_call: Annotated[Text, AfterValidator(_file)] | None = None
    """A file with numbers that are never called, one a line, relative to the project. Read anew before each call."""


class Phonebook(Part):
    """The telephone settings of a project."""

    language: Annotated[Text, AfterValidator(language_code)] = "en"
    """Of what `voicemail` says; a rule that is for a `language` says it in that one."""
    timezone: ZoneName = "UTC"
    """Of `hours` that do not say their own, and of called numbers whose place is not known; such as
    `America/New_York`."""
    holidays: list[Holiday] = Field(default=[])
    """Days on which all `hours` are closed: `2026-12-24`, `12-25` for every year, or `2026-12-24..2027-01-01`."""
    hours: dict[Text, Hours] = Field(default={})
    """Opening hours, under names of your own: rules name them."""
    numbers: dict[Number, Line] = Field(default={})
    """Your numbers, as `+12025550100`, and who takes their calls."""
    outbound: Outbound | None = None
    """How calls go out. Without it none do."""

    @model_validator(mode="after")
    def _knows_its_hours(self) -> Self:
        for number, line in self.numbers.items():
            for place, rule in enumerate(line.rules):
                for key in ("during", "outside"):
                    named = getattr(rule, key)
                    if named is not None and named not in self.hours:
                        where = f"numbers.{number}.rules.{place}.{key}"
                        raise ValueError(f"{where}: unknown hours '{named}'.{did_you_mean(named, self.hours)}")
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @classmethod
    def load(cls, root: Path) -> Phonebook | None:
        """That of the project in `root`; None when it has none. Raises BadInput, a line for each problem."""
        path = root / FILE
        if not path.exists():
            return None
        return validation.build(yamlfile.read(path), cls, context=root)

    @classmethod
    def parse(cls, text: str, root: Path | None = None, shown: str = "<phone>") -> Phonebook:
        """From a text; without `root` nobody looks whether its agents and files exist. Raises BadInput."""
        return validation.build(yamlfile.parse(text, shown), cls, context=root)
