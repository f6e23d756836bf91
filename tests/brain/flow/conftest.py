from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.text_call import TextCall


@pytest.fixture
def call(tmp_path: Path) -> TextCall:
    """A call to the dental practice."""
    return TextCall("dental", tmp_path)


@pytest.fixture
def at_confirmation(call: TextCall) -> TextCall:
    """A call in which everything has been said and the agent has just asked whether to book."""
    reply = call.all("i'd like to book a cleaning next tuesday at half past two for maria lopez", "i'd rather not say")
    assert reply.endswith("Shall I book it?")
    return call
