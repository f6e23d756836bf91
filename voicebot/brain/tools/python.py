"""Tool files: `tools.py:book` in an agent file is the function `book` of the project's `tools.py`.

A file is loaded once for each of its contents, under a module name of its own, and never put on sys.path: two
projects may both have a `tools.py`, and a project's `json.py` shadows nothing.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import traceback
from pathlib import Path
from types import ModuleType

from voicebot.brain.tools.function import Function
from voicebot.brain.tools.tool import Manner
from voicebot.errors import BadInput, did_you_mean


def load(name: str, root: Path, manner: Manner = Manner()) -> Function:  # noqa: B008 - it is frozen
    """The tool that `name` ('tools.py:book') stands for, its file being relative to `root`. Raises BadInput."""
    file, colon, function_name = name.rpartition(":")
    if not colon or not file.endswith(".py") or not function_name.isidentifier():
        raise BadInput(f"tool '{name}' must name a file and a function in it, as in tools.py:book")
    module = _module(root / file, file)
    function = getattr(module, function_name, None)
    if function is None:
        raise BadInput(f"{file} has no function '{function_name}'.{did_you_mean(function_name, _functions(module))}")
    if not inspect.isfunction(function):
        raise BadInput(f"tool '{name}' is not a function but {type(function).__name__}.")
    return Function.of(function, f"{file}:{function.__code__.co_firstlineno} {function_name}", manner)


def _module(path: Path, shown: str) -> ModuleType:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise BadInput(f"tool file {shown} cannot be read: {error.strerror} ({path})") from error
    digest = hashlib.sha256(str(path.resolve()).encode() + b"\0" + source).hexdigest()[:16]
    name = f"voicebot_tools_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    module = sys.modules[name] = ModuleType(name)
    module.__file__ = str(path)
    try:
        # Not importlib's loader: it trusts a .pyc of the same size and second, and an edit would not be seen.
        exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102  # the project's own code
    except (Exception, SystemExit) as error:  # whatever it raises is said with its line
        del sys.modules[name]
        raise BadInput(f"{shown}:{_line(error, path)} {type(error).__name__}: {error}") from error
    return module


def _line(error: BaseException, path: Path) -> int:
    """The line of `path` that failed: the innermost one, also when the error arose in something it called."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 1
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return (lines[-1] if lines else None) or 1


def _functions(module: ModuleType) -> list[str]:
    functions = inspect.getmembers(module, inspect.isfunction)
    return [name for name, function in functions if function.__module__ == module.__name__]
