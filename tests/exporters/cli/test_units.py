"""Sizes, times and spans as people write and read them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcptap.exporters.cli.units import Moment, size, span


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_500_000, "1.5 MB"), (10**16, "10000.0 TB")]
)
def test_a_size_has_the_unit_that_fits(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(3, "3 s"), (119, "119 s"), (300, "5 min"), (7200, "2 h"), (2e5, "2 d")])
def test_a_span_is_told_roughly(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(("text", "back"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400), ("1w", 604800)])
def test_a_moment_can_be_told_as_a_span_back(text: str, back: int) -> None:
    expected = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=back)
    assert abs(Moment().convert(text, None, None) - expected) < timedelta(seconds=60)


@pytest.mark.parametrize("text", ["2026-11-20T14:00:00Z", "2026-11-20T16:00:00+02:00", "2026-11-20 14:00+00:00"])
def test_a_moment_can_be_told_with_its_zone(text: str) -> None:
    assert Moment().convert(text, None, None) == datetime(2026, 11, 20, 14)  # noqa: DTZ001


@pytest.mark.parametrize("text", ["", "yesterday", "10", "m", "9999999d", "999999w", "2026-13-01"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no time"):
        Moment().convert(text, None, None)


@given(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)), st.sampled_from(["T", " "]))  # noqa: DTZ001
def test_any_time_that_python_writes_is_read(moment: datetime, between: str) -> None:
    assert Moment().convert(moment.isoformat(sep=between) + "Z", None, None) == moment


@given(st.dates(datetime(1971, 1, 1).date(), datetime(2200, 1, 1).date()))  # noqa: DTZ001
def test_a_day_begins_at_local_midnight(day: date) -> None:
    began = datetime.combine(day, time()).astimezone(UTC).replace(tzinfo=None)
    assert Moment().convert(day.isoformat(), None, None) == began


@given(st.text() | st.from_regex(r"-?[0-9]{1,8}[smhdwy]|[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.+-]*)?", fullmatch=True))
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    moment = None
    with suppress(click.BadParameter):
        moment = Moment().convert(text, None, None)
    assert moment is None or moment.tzinfo is None
