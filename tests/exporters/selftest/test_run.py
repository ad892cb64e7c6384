"""The comparison is worth something only if it can fail."""

import sys

import pytest

from mcptap.exporters.selftest.cases import Case, make_cases
from mcptap.exporters.selftest.run import CaseResult, run_selftest

SMALL = make_cases(big=1 << 20, flood=2 << 20)


def case(name: str) -> Case:
    return next(row for row in SMALL if row.name == name)


def found(wrapper: list[str], *names: str, patience: float = 20.0) -> list[CaseResult]:
    return run_selftest(wrapper, cases=[case(name) for name in names], patience=patience)


def test_a_server_is_the_same_as_itself_in_every_case(bare_relay):
    python_sets_lc_ctype = {"environment"}  # an interpreter between two exec calls; the tap must undo it
    cases = [row for row in SMALL if row.name not in python_sets_lc_ctype]
    differing = [result for result in run_selftest(bare_relay, cases=cases) if not result.same]
    assert differing == []


def test_an_honest_relay_passes_where_it_is_honest(relay):
    results = found(relay("none"), "every byte value", "no newline at the end", "exit status", "answers in flight")
    assert [result.detail for result in results if not result.same] == []


@pytest.mark.parametrize(
    ("flaw", "name"),
    [
        ("loses the last byte", "no newline at the end"),
        ("adds a newline", "no newline at the end"),
        ("loses the exit status", "exit status"),
        ("none", "death by signal"),
        ("none", "grandchild"),
        ("none", "signals"),
        ("serialises anew", "integers above 2^53"),
        ("serialises anew", "keys that stand twice"),
        ("drops what is not JSON", "every byte value"),
        ("kills the server at the end of stdin", "answers in flight"),
        ("speaks on stderr", "a batch"),
        ("reduces the environment", "environment"),
        ("leaks a descriptor", "surroundings"),
    ],
)
def test_a_relay_that_breaks_something_is_found(relay, flaw, name):
    (result,) = found(relay(flaw), name, patience=1.0)
    assert not result.same
    assert result.detail


def test_a_difference_is_told_by_the_first_byte_that_differs(relay):
    (result,) = found(relay("loses the last byte"), "no newline at the end", patience=6.0)
    assert "40 bytes directly, 3" in result.detail


def test_each_result_is_told_as_soon_as_it_is_known(bare_relay):
    told: list[CaseResult] = []
    cases = [case("a batch"), case("end of stdin")]
    assert run_selftest(bare_relay, cases=cases, told=told.append) == told
    assert [result.name for result in told] == ["a batch", "end of stdin"]


SERVER = """
import json, sys, {imports}
for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        print(json.dumps({{"jsonrpc": "2.0", "id": message["id"], "result": {{"n": {value}}}}}), flush=True)
"""


@pytest.fixture
def own_server(tmp_path):
    """How to start a small server of one's own whose answers contain the value of an expression."""

    def write(imports: str, value: str) -> list[str]:
        script = tmp_path / "own.py"
        script.write_text(SERVER.format(imports=imports, value=value))
        return [sys.executable, "-I", "-S", str(script)]

    return write


def test_an_own_server_is_compared_byte_by_byte(bare_relay, relay, own_server):
    command = own_server("os", "'always the same'")
    (same,) = run_selftest(bare_relay, command, cases=())
    assert (same.name, same.same, same.detail) == ("your server", True, "")
    (differing,) = run_selftest(relay("speaks on stderr"), command, cases=())
    assert not differing.same


def test_an_own_server_that_differs_from_itself_is_compared_by_shape(bare_relay, relay, own_server):
    command = own_server("time", "time.time_ns()")
    (same,) = run_selftest(bare_relay, command, cases=())
    assert (same.same, same.detail) == (True, "differs from itself, compared by shape")
    (differing,) = run_selftest(relay("loses the exit status"), ["sh", "-c", "echo $$; exit 3"], cases=())
    assert not differing.same


def test_a_command_that_does_not_exist_is_the_callers_mistake(bare_relay):
    with pytest.raises(FileNotFoundError):
        run_selftest(bare_relay, ["no-such-server-anywhere"], cases=())
