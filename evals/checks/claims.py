"""Claims about a call that no rule can check: a language model reads the transcript, and must quote it.

The model's answer is taken only when every quotation stands in the transcript word for word; see `evals/judge.py`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from voicebot import references

from .values import OneOrMore, Part, Text


class Claims(Part):
    """What a language model must find true, or must not. A list is short for `claims`."""

    claims: OneOrMore[Text] = Field(default=[])
    """One sentence each that must be true: "The agent apologises for the delay." The model must quote the words that
    show it. `{name}` stands for that fact of the caller."""
    never: OneOrMore[Text] = Field(default=[])
    """One sentence each that must not be true: "The agent blames the caller." To call one true, the model must quote
    the words that show it."""
    llm: Annotated[Text, AfterValidator(references.llm)] = "auto"
    """Who judges: `openai/gpt-4.1`, or `auto`, the best that can run here and now."""
    base_url: Text | None = None
    """Where an OpenAI-compatible server listens, as in the agent file."""

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        return {"claims": value} if isinstance(value, str | list) else value

    @model_validator(mode="after")
    def _claims_something(self) -> Claims:
        if not (self.claims or self.never):
            raise ValueError("there is nothing to judge. Add 'claims' or 'never'.")
        return self
