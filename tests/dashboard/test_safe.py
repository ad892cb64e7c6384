"""What servers say is shown as it is and does nothing, and only `safe` gives it to elements that could."""

from __future__ import annotations

import ast
import csv
import io
import re
from pathlib import Path
from typing import Any
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcptap.dashboard import safe

ROOT = Path(__file__).parents[2] / "dashboard"
MODULES = [path for path in ROOT.rglob("*.py") if path.name not in ("safe.py", "__main__.py")]
# Elements that read Markdown, and those of their arguments that do.
READS_MARKDOWN = frozenset(
    """write markdown caption title header subheader error warning info success toast progress status metric tabs
    expander popover dialog checkbox radio button download_button page_link pills segmented_control badge selectbox
    multiselect select_slider slider text_input text_area number_input date_input toggle form_submit_button spinner
    Page""".split()  # noqa: SIM905
)
NEVER = frozenset(("html", "table", "exception", "latex", "write_stream", "iframe", "MarkdownColumn", "ImageColumn",
                   "LinkColumn", "plotly_chart", "mermaid_chart", "map", "pydeck_chart"))  # fmt: skip
TEXTS = ("label", "help", "delta", "caption", "body")
PUNCTUATION = re.compile(r"(?<!\\)(?:\\\\)*[`*_{}\[\]()<>#+\-.!|~$&:^=\"'@/]")
# app.py draws a page's own TITLE, states.py a row of its own table, one_run.py a constant that it was given.
CONSTANT = {("app.py", "title"), ("app.py", "Page"), ("states.py", "title")}


def constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_module_gives_a_text_that_is_not_its_own_to_what_reads_markdown(path: Path) -> None:
    wrong = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value
        if isinstance(owner, ast.Name) and owner.id in ("safe", "alt", "columns", "charts"):
            continue
        name = node.func.attr
        ours = isinstance(owner, ast.Name) and owner.id in ("st", "column_config")
        assert not (name in NEVER and ours), f"{path.name}:{node.lineno} uses {name}"
        if name in READS_MARKDOWN and (path.name, name) not in CONSTANT:
            told = [*node.args[:1], *(word.value for word in node.keywords if word.arg in TEXTS)]
            wrong += [f"{path.name}:{node.lineno} {name}" for one in told if not constant(one)]
    assert not wrong


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_streamlit_is_imported_under_one_name_so_that_nothing_slips_by(path: Path) -> None:
    found = [
        (node.module, alias.name)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("streamlit")
        for alias in node.names
    ]
    assert set(found) <= {("streamlit", "column_config"), ("streamlit", "config")}


@given(st.text())
def test_nothing_in_an_escaped_label_means_anything(text: str) -> None:
    label = safe.md_escape(text)
    assert not PUNCTUATION.search(label.replace("\\\\", ""))
    assert "\n" not in label
    assert not re.search(r"(?i)(:|@|www)(?=[/.a-z0-9])", label.replace("\\", ""))


@given(st.text())
def test_shown_text_has_no_character_that_is_not_seen(text: str) -> None:
    shown = safe.visible(text)
    assert all(char == "\n" or char.isprintable() or category(char) == "Zs" for char in shown)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b-\u200f\U000e0000-\U000e007f\x1b]", shown)


def test_words_that_need_no_escape_stay_as_they_are() -> None:
    assert safe.md_escape("read file 3") == "read file 3"
    assert safe.visible("a\nb") == "a\nb"


def test_a_label_is_cut_and_a_cell_too() -> None:
    assert len(safe.md_escape("x" * 1000)) == safe.LABEL
    assert len(safe._cell("x" * 10_000)) == safe.CELL


def test_a_spreadsheet_computes_nothing() -> None:
    rows: list[list[Any]] = [["=1+1", -1], ["@x", 2.5], ["plain", None]]
    told = list(csv.reader(io.StringIO(safe.spreadsheet(["=name", "n"], rows).decode())))
    assert told == [["'=name", "n"], ["'=1+1", "-1"], ["'@x", "2.5"], ["plain", ""]]
