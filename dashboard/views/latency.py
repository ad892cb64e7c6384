"""Latency."""

from __future__ import annotations

from typing import Final

import streamlit as st

from mcptap.dashboard.filters import Chosen

TITLE: Final = "Latency"
LIVE: Final = True


def draw(chosen: Chosen) -> None:
    """The page."""
    st.text(str(chosen.narrow))
