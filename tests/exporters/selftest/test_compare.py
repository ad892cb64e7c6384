"""What counts as a difference, and how it is told."""

import pytest

from mcptap.exporters.selftest.compare import by_shape, differences, ending, summary

FACTS = {"exit status": 0, "stdout": b"abc", "stderr": b""}


def test_equal_facts_have_no_differences():
    assert differences(FACTS, dict(FACTS)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"exit status": 1}, "exit status: directly 0, through the tap 1"),
        ({"stdout": b"abx"}, "the first difference at byte 2: b'abc' became b'abx'"),
        ({"stdout": b"abcd"}, "3 bytes directly, 4 through the tap, the first difference at byte 3"),
        ({"more": True}, "more: directly None, through the tap True"),
    ],
)
def test_a_difference_is_told_with_both_values(change, told):
    (line,) = differences(FACTS, {**FACTS, **change})
    assert told in line


def test_a_fact_that_is_left_out_does_not_count():
    assert differences(FACTS, {**FACTS, "stdout": b""}, ("stdout",)) == []


def test_the_summary_tells_the_ends_and_the_sizes():
    assert summary([FACTS, {**FACTS, "exit status": -15}]) == "exit 0, SIGTERM; 6 B stdout"


@pytest.mark.parametrize(("status", "text"), [(3, "exit 3"), (-9, "SIGKILL"), ("hung for 2 s", "hung for 2 s")])
def test_an_end_is_told_in_words(status, text):
    assert ending(status) == text


def test_by_shape_ids_and_methods_stand_and_values_do_not():
    one = {**FACTS, "stdout": b'{"id":1,"result":{"n":1,"l":[1,2]}}\n{"method":"m"}\n'}
    other = {**FACTS, "stdout": b'{"method":"m"}\n{"id":1,"result":{"n":7,"l":[3]}}\n'}
    assert differences(by_shape(one), by_shape(other)) == []
    for changed in (b'{"id":2,"result":{"n":7,"l":[3]}}', b'{"id":1,"result":{"n":"7","l":[3]}}', b"not JSON"):
        assert differences(by_shape(one), by_shape({**FACTS, "stdout": b'{"method":"m"}\n' + changed}))
