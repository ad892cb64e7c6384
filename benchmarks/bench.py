"""What every benchmark is given: the subjects, the recorder, and turns that are fair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.recording import Recorded, Recorder
from benchmarks.subjects import MCPTAP, Subject
from benchmarks.wire import Connection, pinned

Samples = dict[str, list[float]]  # per subject, one figure per round


@dataclass
class Bench:
    """One run of the benchmarks. `scale` multiplies rounds and counts: 1 in full, less when in a hurry."""

    subjects: Sequence[Subject]
    recorder: Recorder
    scale: float = 1.0
    _names: int = field(default=0, init=False)

    def times(self, full: int, least: int = 1) -> int:
        """How often to do what a full run does `full` times."""
        return max(least, round(full * self.scale))

    def name(self, what: str) -> str:
        """A name to record under that no other run has."""
        self._names += 1
        return f"{what}-{self._names}"

    def take_turns(self, rounds: int, turn: Callable[[Subject], float]) -> Samples:
        """Every subject's figure in every round. Who begins changes; the collector rests in between."""
        samples: Samples = {subject.name: [] for subject in self.subjects}
        for number in range(rounds):
            first = number % len(self.subjects)
            for subject in (*self.subjects[first:], *self.subjects[:first]):
                samples[subject.name].append(turn(subject))
                if subject.name == MCPTAP:
                    self.recorder.settle()
        return samples

    @contextmanager
    def connections(self, name: str, server: Sequence[str], *, pin: bool = False) -> Iterator[dict[str, Connection]]:
        """One open connection per subject, all to servers of the same kind."""
        with pinned(pin):
            opened = {s.name: Connection((*s.prefix(name), *server), s.environment) for s in self.subjects}
            try:
                yield opened
            finally:
                for connection in opened.values():
                    connection.close()

    def recorded(self, name: str, requests: int) -> Recorded:
        """Whether all requests of the runs of that name, and their answers, are in the store."""
        return self.recorder.await_messages(name, 2 * requests)
