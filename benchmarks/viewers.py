"""Many viewers of the dashboard without a browser each: their sessions, and clicks that do not wait for anybody.

The idea: what a viewer costs the recorder is what the dashboard does for them. Ten browsers on one machine would
measure the browsers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

PATIENCE_S = 60.0


class Viewer:
    """One session on the first page."""

    def __init__(self, address: str, span: str) -> None:
        self._query, self._filter = f"time={span.replace(' ', '+')}", ""
        self._connection: ClientConnection = connect(
            address.replace("http", "ws", 1) + "_stcore/stream", subprotocols=[Subprotocol("streamlit")], max_size=None
        )
        self.choose(span)

    def choose(self, span: str) -> None:
        """Clicks a span of time, and waits until the page is sent."""
        asked = BackMsg()
        asked.rerun_script.query_string = self._query
        if self._filter:
            asked.rerun_script.widget_states.widgets.add(id=self._filter, string_value=span)
        self._connection.send(asked.SerializeToString())
        while True:
            told = ForwardMsg.FromString(bytes(self._connection.recv(PATIENCE_S)))  # type: ignore[arg-type]
            box = told.delta.new_element.selectbox
            self._filter = box.id if box.label == "Time" else self._filter
            if told.WhichOneof("type") == "script_finished":
                return

    def close(self) -> None:
        self._connection.close()


@contextmanager
def clicking(address: str, viewers: int, spans: Sequence[str]) -> Iterator[list[int]]:
    """So many viewers, each clicking as fast as the pages come. Yields a list that grows by one for each click."""
    clicks: list[int] = []
    ended = threading.Event()

    def click(number: int) -> None:
        viewer = Viewer(address, spans[number % len(spans)])
        for span in cycle(spans):
            if ended.is_set():
                break
            viewer.choose(span)
            clicks.append(number)
        viewer.close()

    threads = [threading.Thread(target=click, args=(number,)) for number in range(viewers)]
    for thread in threads:
        thread.start()
    try:
        yield clicks
    finally:
        ended.set()
        for thread in threads:
            thread.join()
