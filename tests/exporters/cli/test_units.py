"""Sizes, times and spans as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

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
