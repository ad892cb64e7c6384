"""How pages look, and how Streamlit is set up for them: one table of settings, none of the user's own.

The idea: colours carry meaning to everybody. They are those of Okabe and Ito, which people of any colour vision can
tell apart, a little darker on white and a little lighter on black; and no colour stands without a word or a place.
"""

from __future__ import annotations

from typing import Any, Final

from PIL import Image, ImageDraw

CATEGORICAL: Final = {
    "light": ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D1F", "#7A7A7A"],
    "dark": ["#56B4E9", "#FF8A45", "#2BC79B", "#E59AC6", "#F2B84B", "#8CCBF2", "#C9A94F", "#A8A8A8"],
}
SEQUENTIAL: Final = {
    "light": [
        "#EAF2F8", "#D3E5F2", "#B5D3E9", "#93BFDF", "#6EA9D3",
        "#4A92C6", "#287AB5", "#0F639E", "#064C80", "#03365E",
    ],
    "dark": [
        "#12283A", "#173850", "#1C4A6A", "#225D85", "#2A72A1",
        "#3788BC", "#529ED0", "#78B6DF", "#A2CEEC", "#D0E7F7",
    ],
}  # fmt: skip
SURFACES: Final = {
    "light": {
        "primaryColor": "#0067A3", "backgroundColor": "#FFFFFF", "secondaryBackgroundColor": "#F4F6F8",
        "textColor": "#1B2330", "borderColor": "#D5DBE2", "linkColor": "#0067A3", "codeBackgroundColor": "#F4F6F8",
        "codeTextColor": "#1B2330", "dataframeHeaderBackgroundColor": "#EEF1F5",
    },
    "dark": {
        "primaryColor": "#56B4E9", "backgroundColor": "#12161C", "secondaryBackgroundColor": "#1B212A",
        "textColor": "#E6EBF2", "borderColor": "#323B47", "linkColor": "#7CC4F0", "codeBackgroundColor": "#1B212A",
        "codeTextColor": "#E6EBF2", "dataframeHeaderBackgroundColor": "#222A35",
    },
}  # fmt: skip
SIDEBARS: Final = {
    "light": {"backgroundColor": "#F4F6F8", "secondaryBackgroundColor": "#FFFFFF"},
    "dark": {"backgroundColor": "#171C24", "secondaryBackgroundColor": "#222A35"},
}
GOOD, BAD = "#2F8FCB", "#D1344B"  # told apart on white and on black

SETTINGS: Final[dict[str, Any]] = {
    "browser.gatherUsageStats": False,
    "client.showErrorLinks": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "client.disableDataExport": True,  # what is downloaded goes through `safe`
    "client.showSidebarNavigation": True,
    "global.developmentMode": False,
    "logger.level": "warning",
    "logger.hideWelcomeMessage": True,
    "runner.magicEnabled": False,
    "runner.postScriptGC": False,  # Python's own suffices: it need not look through every library after each click
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.disconnectedSessionTTL": 120,
    "server.enableStaticServing": False,
    "theme.baseRadius": "small",
    "theme.showWidgetBorder": True,
    "theme.showSidebarBorder": True,
    "theme.paddingTop": "3rem",
    "theme.metricValueFontSize": "1.6rem",
    "theme.headingFontSizes": ["1.6rem", "1.05rem", "1rem", "1rem", "1rem", "1rem"],
}


def settings(address: str, port: int, hosts: frozenset[str] | None) -> dict[str, Any]:
    """All settings of Streamlit for one server."""
    told = SETTINGS | {"server.address": address, "server.port": port}
    if hosts is not None:
        told["server.allowedHosts"] = sorted(hosts)
    for mode in ("light", "dark"):
        told |= {f"theme.{mode}.{name}": value for name, value in SURFACES[mode].items()}
        told |= {f"theme.{mode}.sidebar.{name}": value for name, value in SIDEBARS[mode].items()}
        told[f"theme.{mode}.chartCategoricalColors"] = CATEGORICAL[mode]
        told[f"theme.{mode}.chartSequentialColors"] = SEQUENTIAL[mode]
    return told


def icon() -> Image.Image:
    """The page's icon: two lines and a tap between them. A file or a font's icon could come from elsewhere."""
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((2, 2, 62, 62), 14, fill="#0072B2")
    draw.line((12, 22, 52, 22), fill="white", width=6)
    draw.line((12, 42, 52, 42), fill="white", width=6)
    draw.ellipse((24, 24, 40, 40), fill="#E69F00", outline="white", width=3)
    return image
