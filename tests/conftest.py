"""What all tests stand on: whoever runs them may have pulled models, and must not notice."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
from loguru import logger

from voicebot.paths import MODELS_SETTING


@pytest.fixture(scope="session", autouse=True)
def _no_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """`auto` picks what is on disk: there is nothing, in this process and in those it starts."""
    before = os.environ.get(MODELS_SETTING)
    os.environ[MODELS_SETTING] = str(tmp_path_factory.mktemp("models"))
    yield
    if before is None:
        del os.environ[MODELS_SETTING]
    else:
        os.environ[MODELS_SETTING] = before


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    """What a command sets for those it starts (the level of the log, for one) is not for the next test."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """A command that was run here with --debug, or a server, leaves its log to nobody, and none is left to it."""
    root = logging.getLogger()
    level = root.level
    logger.remove()
    yield
    logger.remove()
    root.setLevel(level)
    for handler in [each for each in root.handlers if type(each).__module__.startswith("voicebot.")]:
        root.removeHandler(handler)
