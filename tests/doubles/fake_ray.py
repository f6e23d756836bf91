"""As much of Ray as the cluster uses, in this process: a task runs when it is waited for."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


class RayError(Exception):
    """What Ray raises when a worker or a node is gone."""


class Ray:
    def __init__(self, cores: int) -> None:
        self.exceptions = SimpleNamespace(RayError=RayError)
        self.broken: set[str] = set()
        """Personas whose calls take their node with them."""
        self.running = False
        self._cores = cores
        self._tasks: dict[int, Callable[[], Any]] = {}

    def init(self, address: str | None = None, **options: object) -> None:
        if address is not None:
            raise ConnectionError(f"Failed to connect to {address}\nand so on")
        self.running = True

    def shutdown(self) -> None:
        self.running = False

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": float(self._cores)}

    def put(self, value: Any) -> Any:
        return value

    def remote(self, **options: object) -> Callable[[Callable[..., Any]], Any]:
        def wrapped(function: Callable[..., Any]) -> Any:
            return SimpleNamespace(remote=lambda *given: self._submit(function, given))

        return wrapped

    def _submit(self, function: Callable[..., Any], given: tuple[Any, ...]) -> int:
        travelled = pickle.loads(pickle.dumps(given))
        number = len(self._tasks) + 1
        broken = travelled[1].case.persona in self.broken
        self._tasks[number] = self._lost if broken else lambda: function(*travelled)
        return number

    @staticmethod
    def _lost() -> Any:
        raise RayError

    def wait(self, references: list[int], num_returns: int, timeout: float) -> tuple[list[int], list[int]]:
        return references, []

    def get(self, reference: int) -> Any:
        return self._tasks[reference]()

    def cancel(self, reference: int, force: bool) -> None:
        del self._tasks[reference]
