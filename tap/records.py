"""The vocabulary in code: frozen values that have been redacted, safe to write down.

Times are integers, nanoseconds since the Unix epoch. Durations are float milliseconds. Sizes are bytes on
the wire. `seq` numbers the messages of one run over both sides, from 1. A record's field names are the
journal's field names.

That nobody changes a record is for the type checker to hold. At run time nothing guards it: an interpreter takes four
times as long to make a guarded one, field by field, and orjson three times as long to write one with slots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    import dataclasses

    def dataclass(*, frozen):
        """What holds the values of its fields, and may be a member of a set."""
        return dataclasses.dataclass(unsafe_hash=frozen)


Side = Literal["client", "server"]
Stream = Literal["client", "server", "stderr"]
Kind = Literal["request", "notification", "result", "error", "batch", "noise"]
Outcome = Literal[
    "ok",  # answered with a result
    "tool_error",  # answered with a result whose `isError` is true
    "rpc_error",  # answered with a JSON-RPC error
    "input_required",  # answered with a request for more input (a further round follows)
    "task_created",  # answered with a task that goes on
    "cancelled",  # cancelled by its sender, no answer came
    "late",  # answered after it was cancelled
    "no_response",  # the run ended first
]
RunState = Literal["running", "ended", "lost"]


@dataclass(frozen=True)
class Redaction:
    """One value taken out of a record: where, by which rule, and a keyed fingerprint of it."""

    pointer: str  # JSON pointer into the body; "" for the whole of it
    rule: str
    fingerprint: str  # 8 hex digits of an HMAC under this installation's key
    length: int  # of the value taken out, in characters


@dataclass(frozen=True)
class Exchange:
    """A request and what became of it. Bodies are those of the messages `seq` and `reply_seq`.

    The same `seq` may be told again with more known of it: answered after it was cancelled, or when a task that it
    created ends. The last word counts.
    """

    seq: int
    reply_seq: int | None
    side: Side  # of the request's sender
    method: str
    target: str | None  # tool, prompt or resource
    rpc_id: str  # the id as JSON text, so that 1 and "1" differ
    started_at: int
    duration_ms: float | None
    outcome: Outcome
    error_code: int | None
    error_message: str | None
    request_bytes: int
    reply_bytes: int | None
    protocol_version: str | None
    era: Literal["legacy", "modern"] | None
    probe: bool
    long_lived: bool
    client_name: str | None
    server_name: str | None
    trace_id: str  # 32 hex digits: the caller's, else that of the logical call
    span_id: str  # 16 hex digits, derived from run and seq
    logical_id: str  # shared by the rounds of one multi-round call, and by what is said of a task it created
    # What follows came later than the others: a line that an earlier version wrote has none of it.
    client_version: str | None = None
    server_version: str | None = None
    round: int | None = None  # of its logical call, from 1; None for what is said of a task
    waiting_ms: float | None = None  # of `duration_ms`: a person or a model was waited for
    progress_count: int = 0  # notifications of progress
    log_count: int = 0  # log messages, where they tell their request
    task_id: str | None = None  # that it created or is about
    task_outcome: Outcome | None = None  # of the task that it created, once that has ended
    task_ms: float | None = None  # from the request to the task's end
    task_waiting_ms: float | None = None  # of that: a person or a model was waited for


@dataclass(frozen=True)
class RunStarted:
    """What is known when a server is spawned. Command and cwd are redacted; of the environment only names."""

    type: ClassVar[str] = "run_started"
    run_id: str
    at: int
    name: str | None
    command: tuple[str, ...]
    cwd: str
    env_names: tuple[str, ...]
    tap_version: str
    tap_pid: int
    tap_created: float | None  # seconds since the epoch; with the pid it names one process for ever
    server_pid: int | None  # None: it could not be spawned
    server_created: float | None
    host_session_id: str | None  # runs of one host process share it
    executable_path: str | None
    executable_sha256: str | None
    redactions: tuple[Redaction, ...] = ()
    host_process: str | None = None  # the name of the program that started the tap


@dataclass(frozen=True)
class MessageRecord:
    """One message. A batch is one record of kind `batch` without a body, followed by one per element."""

    type: ClassVar[str] = "message"
    seq: int
    side: Side
    at: int
    kind: Kind
    method: str | None
    rpc_id: str | None
    offset: int  # of the frame's first byte on its side
    size_bytes: int  # of the frame with its newline; 0 for an element of a batch
    body: Any  # redacted JSON value; a string for noise; None where there is none (see `unscanned`)
    truncated: bool = False  # the frame's beginning or end is missing
    unscanned: str | None = None  # why the body was not kept; `sha256` then stands for it
    sha256: str | None = None
    facts: dict[str, Any] | None = None  # what else the method's table row extracts (versions, identities)
    redactions: tuple[Redaction, ...] = ()
    exchanges: tuple[Exchange, ...] = ()  # those that this message settles
    exchange_seq: int | None = None  # seq of the request that this message is, answers, or belongs to


@dataclass(frozen=True)
class StderrLine:
    """One line of the server's stderr."""

    type: ClassVar[str] = "stderr"
    at: int
    offset: int
    size_bytes: int  # with its newline
    text: str
    redactions: tuple[Redaction, ...] = ()


@dataclass(frozen=True)
class Gap:
    """Bytes that passed and were not recorded."""

    type: ClassVar[str] = "gap"
    at: int
    stream: Stream
    offset: int
    bytes: int
    reason: str


@dataclass(frozen=True)
class Finding:
    """Something suspicious or broken, with its evidence."""

    type: ClassVar[str] = "finding"
    finding_id: str
    seq: int | None
    at: int
    detector: str
    rule: str
    severity: Literal["info", "low", "medium", "high", "critical"]
    channel: Literal["definition", "result", "argument", "error", "stderr", "process"]
    title: str
    evidence: str
    pointer: str
    fingerprint: str
    target: str | None = None  # tool, prompt or resource
    details: dict[str, Any] | None = None  # why: score, families and matches of rules, OWASP's classes


@dataclass(frozen=True)
class Usage:
    """What the server's process and those that it started took when it was looked at."""

    type: ClassVar[str] = "usage"
    at: int
    rss_bytes: int | None  # of all together; memory that they share counts in each. None: nothing could be read
    cpu_seconds: float | None  # so far, of those that have ended too where the system tells
    processes: int
    denied: int = 0  # processes that we may not look at: what they take is not counted


@dataclass(frozen=True)
class RunEnded:
    """How a run ended, and what it used."""

    type: ClassVar[str] = "run_ended"
    at: int
    state: RunState  # "ended", or "lost": the tap vanished and nobody knows how it ended
    exit_code: int | None
    exit_signal: int | None
    max_rss_bytes: int | None
    cpu_seconds: float | None
    bytes_client: int
    bytes_server: int
    bytes_stderr: int
    reason: str | None = None
    exchanges: tuple[Exchange, ...] = ()  # those that nobody answered


Record = RunStarted | MessageRecord | StderrLine | Gap | Finding | Usage | RunEnded
