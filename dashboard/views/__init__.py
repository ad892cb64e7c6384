"""The pages: each has a `TITLE`, says whether it is drawn again while it is looked at (`LIVE`), and a `draw`."""
