"""Every element that takes text from elsewhere: the only module that gives such text to Streamlit.

The idea: nearly all of Streamlit's elements read Markdown, and Markdown fetches images by itself. So text from servers
goes only into elements that do not (text, code, plain cells, options of a list); where it must be a label, it is
escaped so that nothing is left to read. `tests/dashboard/test_safe.py` forbids the other modules what this one is for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import streamlit as st

from mcptap.exporters.cli.output import csv_text, str_cell
from mcptap.exporters.cli.safe import harmless

CUT: Final = 256 * 1024  # characters of a body that are shown at first
LABEL: Final = 80  # characters of a label
CELL: Final = 2_000  # characters of a cell
ROW_PX: Final = 35  # of a table
JOINER: Final = "\u2060"  # keeps addresses from becoming links, and is not seen

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$&:^=\"'@/])")
_ADDRESS: Final = re.compile(r"(?i)(www)\.")


def visible(text: Any) -> str:
    """The text with every character that is not plainly seen as an escape; lines stay lines."""
    return "\n".join(harmless(line) for line in str(text).replace("\r\n", "\n").split("\n"))


def md_escape(text: Any) -> str:
    """The text as a label that reads Markdown: one line, cut, and nothing in it means anything."""
    line = harmless(" ".join(str(text).split()))
    line = line if len(line) <= LABEL else line[: LABEL - 1] + "…"
    line = _ADDRESS.sub(rf"\1{JOINER}.", re.sub("([:@])", rf"\1{JOINER}", line))
    return _MARKDOWN.sub(r"\\\1", line)


def text(value: Any) -> None:
    """A line or a few."""
    st.text(visible(value))


def code(value: Any, *, key: str = "", height: int | None = None) -> None:
    """Text as it is, with lines; what is very long is cut, with a button to see all."""
    shown = visible(value)
    if len(shown) > CUT and not (key and st.session_state.get(f"all_{key}")):
        st.code(shown[:CUT], language=None, wrap_lines=True, height=height or "content")
        st.text(f"The first {CUT:,} of {len(shown):,} characters.")
        if key:
            st.button("Show all of it", key=f"more_{key}", on_click=_show_all, args=(key,))
        return
    st.code(shown, language=None, wrap_lines=True, height=height or "content")


def body(value: str | None, *, key: str) -> None:
    """What a message says: JSON, indented, in the order that it came in."""
    try:
        told = json.dumps(json.loads(value or ""), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        told = value or ""
    code(told, key=key)


def diff(before: str, after: str) -> None:
    """What was taken out and what was put in, line by line."""
    import difflib

    lines = difflib.unified_diff(
        visible(before).split("\n"), visible(after).split("\n"), "before", "after", lineterm=""
    )
    st.code("\n".join(lines) or "(no difference)", language="diff", wrap_lines=True)


def choice(label: str, options: Sequence[str], *, key: str, nothing: str) -> str | None:
    """A list to choose one from, or none; kept in the page's address. Streamlit shows options as they are."""
    known = {_option(option): option for option in options}
    chosen = st.selectbox(label, list(known), index=None, key=key, placeholder=nothing, bind="query-params")
    return known.get(chosen) if chosen is not None else None


def metric(label: str, value: str, *, delta: str | None = None) -> None:
    """A number with a name and a remark; `label` is ours, and what is no number is escaped."""
    told = md_escape(delta) if delta else None
    st.metric(label, md_escape(value), delta=told, delta_color="off", delta_arrow="off", border=True, height="stretch")


def heading(label: str, value: Any) -> None:
    """A heading of ours, and under it the name that it is about, exactly as it is."""
    st.header(label)
    st.code(visible(value), language=None, wrap_lines=True)


def expander(label: Any, *, key: str, expanded: bool = False) -> Any:
    """A part that can be opened; what is in it is only made when it is open."""
    return st.expander(md_escape(label), expanded=expanded, key=key, on_change="rerun")


def table(
    rows: pa.Table | Iterable[Mapping[str, Any]],
    columns: Mapping[str, Any],
    *,
    key: str,
    pick: bool = False,
    on_pick: Callable[[], None] | None = None,
    most: int = 12,
) -> int | None:
    """Rows under our own headings, as cells of plain text, numbers and times. Returns which row is picked.

    `columns`: name -> a column of `columns.py`; what is not in it is not shown. `most` rows are seen without scrolling.
    """
    told = rows.to_pylist() if isinstance(rows, pa.Table) else list(rows)
    cells = {name: [_cell(row.get(name)) for row in told] for name in columns}
    zone = st.context.timezone
    config = {name: column(zone) if callable(column) else column for name, column in columns.items()}
    with st.container(key=f"table_{key}"):
        answer = st.dataframe(
            pa.table({name: array(values) for name, values in cells.items()})
            if told
            else {name: [] for name in columns},
            hide_index=True,
            column_config=config,
            height=ROW_PX * (min(most, max(1, len(told))) + 1) + 3,
            row_height=ROW_PX,
            key=key,
            on_select=(on_pick or "rerun") if pick else "ignore",
            selection_mode="single-row",
            lazy=False,
            placeholder="",
        )
    picked = answer.selection.rows if pick else []  # type: ignore[union-attr]
    return int(picked[0]) if picked and picked[0] < len(told) else None


def array(values: Sequence[Any]) -> pa.Array:
    """A column; where Arrow cannot hold its values as they are (numbers of more than 64 bits, say), of text."""
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError):
        return pa.array([None if value is None else str_cell(value) for value in values])


def link(label: str, page: str, query: Mapping[str, str]) -> None:
    """A way to another of our pages; `label` is ours. What is drawn again meanwhile cannot come in its way."""
    pages = st.session_state.get("pages")
    if pages:  # a page that is drawn alone has no others
        st.page_link(pages[page], label=label, query_params=dict(query))


def command(words: str) -> None:
    """A command to copy."""
    st.code(words, language="sh", wrap_lines=True)


def spreadsheet(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """CSV in which no cell is computed by a spreadsheet, the same as `mcptap query --format csv` writes."""
    return csv_text(columns, rows).encode()


def _show_all(key: str) -> None:
    st.session_state[f"all_{key}"] = True


def _option(name: str) -> str:
    return harmless(name)[:200]


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value[:CELL])
    if isinstance(value, list | tuple | dict):
        return harmless(json.dumps(value, ensure_ascii=False, default=str)[:CELL])
    return value if isinstance(value, bool | int | float | datetime | None) else str(value)
