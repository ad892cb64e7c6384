"""Every record comes back from its JSON as it was."""

import orjson
import pytest

from mcptap.tap.record_json import TYPES, record_from_json
from mcptap.tap.records import Finding, Gap, Redaction, RunStarted, Usage


@pytest.mark.parametrize(
    "record",
    [
        Gap(1, "server", 2, 3, "overflow"),
        Usage(1, None, 0.5, 2, 1),
        Finding("f", None, 1, "d", "r", "low", "result", "t", "e", "/p", "x"),
        RunStarted(
            "r",
            1,
            None,
            ("a", "b"),
            "/",
            ("E",),
            "0",
            1,
            1.5,
            None,
            None,
            None,
            None,
            None,
            (Redaction("/a", "r", "f", 3),),
        ),
    ],
)
def test_a_record_comes_back(record: Gap | Finding | RunStarted | Usage) -> None:
    obj = {"type": record.type, **orjson.loads(orjson.dumps(record)), "n": 5, "unknown": 1}
    assert record_from_json(obj) == record


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(KeyError):
        record_from_json({"type": "nonsense"})


def test_a_missing_field_is_refused() -> None:
    with pytest.raises(TypeError):
        record_from_json({"type": "gap"})


def test_all_types_are_known() -> None:
    assert set(TYPES) == {"run_started", "message", "stderr", "gap", "finding", "usage", "run_ended"}
