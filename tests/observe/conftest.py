from __future__ import annotations

from collections.abc import Iterator

import pytest

from voicebot.observe import context


@pytest.fixture(autouse=True)
def nobody_traces() -> Iterator[None]:
    """A call traced in a test would go on being the place where the tests behind it run."""
    token = context._here.set(None)
    yield
    context._here.reset(token)
