"""Two implementations agree: ours, streaming and resumed anywhere, and a naive one that sees the whole log at once.

The naive one is written from the specification with plain loops over the whole list, again and again; it shares no code
with ours but the names of fields.
"""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from random import Random
from typing import Any, NamedTuple, get_args

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from mcptap.tap.analysis import Analysis
from mcptap.tap.record_json import record_from_json
from mcptap.tap.records import MessageRecord, Outcome, RunStarted
from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)
STARTED = RunStarted("run", 1, "n", ("srv",), "/", (), "0", 1, None, 2, None, None, None, None)
PREFIX = "io.modelcontextprotocol/"
MS = 1_000_000

# What people or models answer, and what stays open by design.
OTHER = {"client": "server", "server": "client"}
PEOPLE = ("sampling/createMessage", "elicitation/create", "roots/list")
STREAMS = ("subscriptions/listen", "tasks/result")


class Said(NamedTuple):
    """One message of the log."""

    seq: int
    side: str
    at: int
    body: dict[str, Any]


# The naive implementation


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def related(body: dict[str, Any]) -> str | None:
    task = body.get("params", {}).get("_meta", {}).get(PREFIX + "related-task")
    return task["taskId"] if task else None


class Reference:
    """What became of every request in a log."""

    def __init__(self, log: list[Said]) -> None:
        self.log = log
        self.requests = [one for one in log if "method" in one.body and "id" in one.body]
        self.end: dict[int, tuple[str, Said]] = {}  # by the request's seq
        self.first_end: dict[int, Said] = {}  # the cancellation of one that was answered late
        for key in sorted(self.keys(), key=lambda key: key[0], reverse=True):  # the server's first: see `withdraws`
            self.join(*key)

    def keys(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for one in self.requests:
            if not any(side == one.side and same(rpc_id, one.body["id"]) for side, rpc_id in found):
                found.append((one.side, one.body["id"]))
        return found

    def join(self, side: str, rpc_id: Any) -> None:
        """All that happens to one id of one side, in order."""
        outstanding: list[Said] = []
        cancelled: Said | None = None
        for one in self.log:
            body = one.body
            if "method" in body and "id" in body and one.side == side and same(body["id"], rpc_id):
                outstanding.append(one)
            elif "method" not in body and one.side != side and same(body["id"], rpc_id):
                if outstanding:
                    self.end[outstanding.pop(0).seq] = (self.outcome(body), one)
                elif cancelled is not None:
                    self.end[cancelled.seq] = ("late", one)
                    cancelled = None
            elif body.get("method") != "notifications/cancelled" or not self.withdraws(one, side, outstanding):
                continue
            elif outstanding and rpc_id is not None and same(body["params"]["requestId"], rpc_id):
                cancelled = outstanding.pop(0)
                self.end[cancelled.seq] = ("cancelled", one)
                self.first_end[cancelled.seq] = one

    def withdraws(self, one: Said, side: str, outstanding: list[Said]) -> bool:
        """Whether a cancellation is of this side's request: its own, or a subscription that the server ends."""
        if one.side == side:
            return True
        if side == "server" or not any(request.body["method"] in STREAMS[:1] for request in outstanding):
            return False
        own = [request for request in self.requests if request.side == "server"]
        own = [request for request in own if same(request.body["id"], one.body["params"]["requestId"])]
        return not any(self.open_at(request, one.seq) or self.closing(request) == one for request in own)

    @staticmethod
    def outcome(body: dict[str, Any]) -> str:
        if "error" in body:
            return "rpc_error"
        result = body["result"]
        if result.get("isError"):
            return "tool_error"
        if "task" in result:
            return "task_created"
        return "input_required" if result.get("resultType") == "input_required" else "ok"

    def closing(self, request: Said) -> Said | None:
        """The message with which a request was no longer open."""
        if request.seq in self.first_end:
            return self.first_end[request.seq]
        return self.end[request.seq][1] if request.seq in self.end else None

    def open_at(self, request: Said, seq: int) -> bool:
        closing = self.closing(request)
        return request.seq < seq and (closing is None or closing.seq > seq)

    def tasks(self, before: int) -> dict[tuple[str, str], Said]:
        """The creator of each task that was known before a message."""
        found = {}
        for request in self.requests:
            _, answer = self.end.get(request.seq, (None, None))
            if answer and answer.seq < before and "task" in answer.body.get("result", {}):
                found[answer.seq, request.side, answer.body["result"]["task"]["taskId"]] = request
        return {
            (side, task): request for (_, side, task), request in sorted(found.items(), key=lambda item: item[0][0])
        }

    def creator(self, side: str, task: str, at: int) -> Said | None:
        """Of a task as it was known when message `at` came; an unknown one is of the only call that asks for one."""
        known = self.tasks(at).get((side, task))
        asking = [one for one in self.requests if one.side == side and "task" in one.body["params"]]
        asking = [one for one in asking if self.open_at(one, at)]
        return known or (asking[0] if len(asking) == 1 else None)

    def waiting(self, request: Said) -> float:
        """By counting milliseconds one by one."""
        closing = self.end[request.seq][1]
        waited = set()
        for asked in self.requests:
            answer = self.closing(asked)
            if asked.side != "server" or asked.body["method"] not in PEOPLE or answer is None:
                continue
            if asked.seq in self.end and self.end[asked.seq][0] == "late":
                answer = self.first_end[asked.seq]
            if self.may_wait(request, asked, answer):
                waited |= set(range(asked.at // MS, answer.at // MS))
        return float(len(waited & set(range(request.at // MS, closing.at // MS))))

    def may_wait(self, request: Said, asked: Said, answer: Said) -> bool:
        if request.side == "server" or request.seq > asked.seq or not self.open_at(request, answer.seq):
            return False
        method = request.body["method"]
        task = related(asked.body)
        if task is None:
            probe = method in ("ping", "server/discover")  # of the latter there is one only
            return not probe and method not in STREAMS
        of_task = request.body["params"].get("taskId") == task
        return of_task or self.creator("client", task, answer.seq) == request

    def logical(self, request: Said) -> tuple[str, int | None]:
        """The call that a request belongs to, and which round it is."""
        params = request.body["params"]
        creator = None
        if task := related(request.body):
            creator = self.creator(OTHER[request.side], task, request.seq)
        elif "taskId" in params:
            creator = self.tasks(request.seq).get((request.side, params["taskId"]))
        if creator:
            return self.logical(creator)[0], None
        own = f"run/{request.seq}"
        if "taskId" in params:
            return own, None
        before = None
        for one in self.requests if request.side == "client" and "requestState" in params else ():
            _, answer = self.end.get(one.seq, (None, None))
            if answer is None or answer.seq > request.seq or one.side == "server":
                continue
            handed = answer.body.get("result", {}).get("requestState")
            if handed == params["requestState"] and one.body["method"] == request.body["method"]:
                before = max(before or (0, one), (answer.seq, one), key=lambda pair: pair[0])
        if before is None:
            return own, 1
        logical_id, number = self.logical(before[1])
        return logical_id, (number or 0) + 1

    def progress(self, request: Said) -> int:
        """Reports of it before its end. Those of a task are not compared: they are counted up to the task's end."""
        if self.end.get(request.seq, ("", None))[0] == "task_created":
            return 0
        token = request.body["params"].get("_meta", {}).get("progressToken")
        end = self.end[request.seq][1].seq if request.seq in self.end else len(self.log) + 1
        return sum(
            1
            for one in self.log
            if one.body.get("method") == "notifications/progress" and one.side != request.side
            if request.seq < one.seq < end and same(one.body["params"]["progressToken"], token)
        )

    def told(self) -> list[tuple[Any, ...]]:
        rows = []
        for request in self.requests:
            outcome, answer = self.end.get(request.seq, ("no_response", None))
            duration = (answer.at - request.at) / MS if answer else None
            waiting = self.waiting(request) if answer else None
            meta = request.body["params"].get("_meta", {})
            version, info = meta.get(PREFIX + "protocolVersion"), meta.get(PREFIX + "clientInfo", {})
            info = info if request.side == "client" else {}
            reply_seq = answer.seq if answer and outcome != "cancelled" else None
            rows.append((request.seq, reply_seq, outcome, duration, waiting, *self.logical(request), version,
                         info.get("name"), info.get("version"), self.progress(request)))  # fmt: skip
        return rows


# Ours

TOLD = ("seq", "reply_seq", "outcome", "duration_ms", "waiting_ms", "logical_id", "round", "protocol_version",
        "client_name", "client_version", "progress_count")  # fmt: skip


def ours(log: list[Said], cuts: list[int], stops: list[int], tail: bytes) -> list[tuple[Any, ...]]:
    """The last word on each exchange, fed in pieces, with restarts from the records alone."""
    analysis, records, offsets = Analysis(STARTED, REDACTOR), [], {"client": 0, "server": 0}
    for index, one in enumerate(log):
        line = json.dumps(one.body).encode() + b"\n"
        cut = cuts[index % len(cuts)] % len(line) if cuts else 0
        records += analysis.data(one.side, offsets[one.side], 5, line[:cut])
        if index in stops:
            analysis = Analysis.resume(STARTED, REDACTOR, [again(record) for record in records])
            cut = 0  # the tap sends again what is not in the records
        records += analysis.data(one.side, offsets[one.side] + cut, one.at, line[cut:])
        offsets[one.side] += len(line)
    records += analysis.data("client", offsets["client"], 5, tail)
    records += analysis.end(10**9)
    last = {exchange.seq: exchange for record in records for exchange in getattr(record, "exchanges", ())}
    last |= {seq: replace(one, progress_count=0) for seq, one in last.items() if one.outcome == "task_created"}
    assert [record.seq for record in records if isinstance(record, MessageRecord)][: len(log)] == [m.seq for m in log]
    return [tuple(getattr(last[seq], name) for name in TOLD) for seq in sorted(last)]


def again(record: Any) -> Any:
    return record_from_json({"type": record.type, **orjson.loads(orjson.dumps(record))})


# Logs

IDS = (0, 1, 2, 3, "1", 1.5, None, 2**63, 2**70)
PARAMS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("tools/call", "prompts/get", "ping", "tools/list", "subscriptions/listen", "acme/x", *PEOPLE), {}),
    (("tools/call", "tools/call", "prompts/get"), {"requestState": "s"}),
    (("tools/call", "tools/call", "prompts/get"), {"requestState": "t"}),
    (("tools/call", "tools/call", "elicitation/create"), {"task": {"ttl": 1}}),
    (("tasks/get", "tasks/result"), {"taskId": "T"}),
    (("tasks/get", "tasks/result"), {"taskId": "U"}),
    (PEOPLE, {}),
    (PEOPLE, {}),
    (PEOPLE, {}),
    (PEOPLE, {"_meta": {PREFIX + "related-task": {"taskId": "T"}}}),
    (("tools/call",), {"_meta": {"progressToken": 0}}),
    (("tools/call", "tools/list"), {"_meta": {PREFIX + "protocolVersion": "2026-07-28"}}),
    *(
        (
            ("tools/call",),
            {"_meta": {PREFIX + "protocolVersion": "v", PREFIX + "clientInfo": {"name": who, "version": f"{who}1"}}},
        )
        for who in "ab"
    ),
)
ANSWERS: tuple[dict[str, Any], ...] = (
    {"result": {}},
    {"result": {"isError": True}},
    {"result": {"resultType": "input_required", "requestState": "s"}},
    {"result": {"resultType": "input_required", "requestState": "t"}},
    {"result": {"task": {"taskId": "T", "status": "working"}}},
    {"result": {"task": {"taskId": "U", "status": "working"}}},
    {"error": {"code": 1, "message": "m"}},
)


def request(random: Random, seq: int) -> tuple[str, dict[str, Any]]:
    methods, params = random.choice(PARAMS)
    method, params = random.choice(methods), copy.deepcopy(params)
    if "progressToken" in params.setdefault("_meta", {}):
        params["_meta"]["progressToken"] = seq
    side = "server" if method in PEOPLE or random.random() < 0.1 else "client"
    return side, {"id": random.choice(IDS), "method": method, "params": params}


def about(random: Random, one: Said) -> tuple[str, dict[str, Any]]:
    """Something that is said of a request: mostly its answer."""
    kind = random.choice(("answer", "answer", "answer", "answer", "cancel", "report", "report"))
    if kind == "answer":
        return OTHER[one.side], {"id": one.body["id"], **copy.deepcopy(random.choice(ANSWERS))}
    if kind == "cancel":
        return one.side, {"method": "notifications/cancelled", "params": {"requestId": one.body["id"]}}
    return OTHER[one.side], {"method": "notifications/progress", "params": {"progressToken": one.seq, "progress": 1}}


def log_of(seed: int, size: int) -> list[Said]:
    """One message every other millisecond; most are about one of the last few requests."""
    random = Random(seed)
    log: list[Said] = []
    for seq in range(1, size + 1):
        asked = [one for one in log if "method" in one.body and "id" in one.body][-5:]
        side, body = (
            request(random, seq) if not asked or random.random() < 0.45 else about(random, random.choice(asked))
        )
        log.append(Said(seq, side, seq * 2 * MS, {"jsonrpc": "2.0", **body}))
    return log


LOGS = st.builds(log_of, st.integers(0, 2**32), st.integers(0, 50))


@settings(deadline=None, max_examples=100)
@given(LOGS, st.lists(st.integers(0, 500), max_size=5), st.lists(st.integers(0, 49), max_size=3))
def test_ours_and_a_naive_one_agree(log: list[Said], cuts: list[int], stops: list[int]) -> None:
    assert ours(log, cuts, stops, b'{"jsonrpc":"2.0","id":1,"method":"pi') == Reference(log).told()


@settings(deadline=None, max_examples=50)
@given(LOGS)
def test_stopped_before_every_message_is_the_same_as_never_stopped(log: list[Said]) -> None:
    assert ours(log, [], list(range(len(log))), b"") == ours(log, [], [], b"")


def test_these_logs_hold_what_is_hard() -> None:
    rows = [row for seed in range(100) for row in ours(log_of(seed, 50), [], [], b"")]
    assert {row[2] for row in rows} == set(get_args(Outcome))
    for name in ("waiting_ms", "progress_count"):
        assert sum(bool(row[TOLD.index(name)]) for row in rows) > 20
    assert sum((row[TOLD.index("round")] or 0) > 1 for row in rows) > 20
    assert sum(row[TOLD.index("logical_id")] != f"run/{row[0]}" for row in rows) > 60
