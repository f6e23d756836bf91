"""What the standard OTEL_* variables ask for. Whatever is not here, the SDK reads itself: headers, sampler, limits.

Source: opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables and .../protocol/exporter.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from voicebot import __version__
from voicebot.errors import BadInput
from voicebot.observe.span import Attributes

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"
_DEFAULT_PLACE = "http://localhost:4318"
_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_IN_SPANS = ("true", "span_only", "span_and_event")
_DEFAULT_QUEUE = 2048
BATCH = 512
"""Spans in a request, unless the environment says otherwise: the SDK's own figure."""


def wanted(env: Mapping[str, str] = os.environ) -> bool:
    """Whether calls are to be traced: an endpoint is set, or `OTEL_TRACES_EXPORTER=otlp`.

    Raises BadInput for an exporter or a protocol that is not the one there is.
    """
    exporter = _said(env, "OTEL_TRACES_EXPORTER").lower()
    if _said(env, "OTEL_SDK_DISABLED").lower() == "true" or exporter == "none":
        return False
    if not exporter and not any(_said(env, name) for name in ENDPOINTS):
        return False
    if exporter not in ("", "otlp"):
        raise BadInput(f"OTEL_TRACES_EXPORTER={exporter}: traces go out as 'otlp', or not at all ('none').")
    check(env)
    return True


def check(env: Mapping[str, str] = os.environ) -> None:
    """Raises BadInput when the environment lets nothing be sent, or asks for another protocol than there is."""
    if _said(env, "OTEL_SDK_DISABLED").lower() == "true":
        raise BadInput("OTEL_SDK_DISABLED=true in the environment: nothing is sent.")
    name = next((name for name in _PROTOCOLS if _said(env, name)), "")
    if name and _said(env, name) != _SPOKEN:
        raise BadInput(
            f"{name}={_said(env, name)}: traces go out as {_SPOKEN}. Set that, and the collector's port for it in "
            "the endpoint (4318 as a rule)."
        )


def said_in_spans(env: Mapping[str, str] = os.environ) -> bool:
    """Whether what was said belongs into spans."""
    return _said(env, _CONTENT).lower() in _IN_SPANS


def resource(env: Mapping[str, str] = os.environ) -> Attributes:
    """Who it is that sends."""
    pairs = (pair.partition("=") for pair in _said(env, "OTEL_RESOURCE_ATTRIBUTES").split(",") if "=" in pair)
    listed = {name.strip(): unquote(value.strip()) for name, _, value in pairs}
    named = {"service.name": name} if (name := _said(env, "OTEL_SERVICE_NAME")) else {}
    return {"service.name": "voicebot", "service.version": __version__, **listed, **named}


def queue_size(env: Mapping[str, str] = os.environ) -> int:
    """Spans that may wait for the collector."""
    said = _said(env, "OTEL_BSP_MAX_QUEUE_SIZE")
    return int(said) if said.isdecimal() and int(said) else _DEFAULT_QUEUE


def place(env: Mapping[str, str] = os.environ) -> str:
    """Where the collector is, for a person: no path and no password."""
    url = urlsplit(next((_said(env, name) for name in ENDPOINTS if _said(env, name)), _DEFAULT_PLACE))
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"


def _said(env: Mapping[str, str], name: str) -> str:
    return env.get(name, "").strip()
