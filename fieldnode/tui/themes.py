"""How the roles of the screen look. Every role keeps its word, so none depends on colour."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style

THEMES = ("night", "contrast", "sixteen", "mono")
"""In the order of the menu."""

_COMMON = {
    "title": "bold",
    "cursor": "reverse",
    "cursor_mark": "bold",
    "open": "underline",
    "key": "bold",
    "head": "reverse",
    "head_title": "reverse bold",
    "head_warn": "reverse bold",
    "head_bad": "reverse bold",
    "bar_key": "bold",
    "banner": "reverse bold",
    "select": "reverse",
}
"""What holds on any terminal, without one colour."""

_NIGHT = {
    "plain": "#d0d0d0 on #000000",
    "dim": "#8f8f8f",
    "label": "#9fb4c8",
    "title": "bold #ffffff",
    "value": "#e8e8e8",
    "open": "#ffffff on #26323c",
    "cursor": "#000000 on #ffd400",
    "cursor_mark": "bold #ffd400",
    "key": "bold #ffd400",
    "red": "bold #ffffff on #c00000",
    "yellow": "bold #000000 on #ffd400",
    "green": "bold #ffffff on #00702a",
    "expectant": "bold #ffffff on #0050c8",
    "dead": "bold #ffffff on #444444",
    "good": "#5fd787",
    "warn": "bold #ffd400",
    "bad": "bold #ffffff on #c00000",
    "head": "#d0d0d0 on #1c2a36",
    "head_title": "bold #ffffff on #1c2a36",
    "head_warn": "bold #ffd400 on #1c2a36",
    "head_bad": "bold #ffffff on #c00000",
    "bar": "#c8c8c8 on #1c2a36",
    "bar_key": "bold #ffd400 on #1c2a36",
    "banner": "bold #000000 on #ffd400",
    "select": "#000000 on #d0d0d0",
}

_CONTRAST = {
    "plain": "#ffffff on #000000",
    "dim": "#ffffff",
    "label": "#ffffff",
    "title": "bold #ffffff",
    "value": "bold #ffffff",
    "open": "bold #ffffff underline",
    "cursor": "#000000 on #ffffff",
    "cursor_mark": "bold #ffffff",
    "key": "bold #ffffff",
    "red": "bold #ffffff on #c00000",
    "yellow": "bold #000000 on #ffd400",
    "green": "bold #ffffff on #00702a",
    "expectant": "bold #ffffff on #0050c8",
    "dead": "bold #000000 on #ffffff",
    "good": "bold #ffffff",
    "warn": "bold #000000 on #ffd400",
    "bad": "bold #ffffff on #c00000",
    "head": "#000000 on #ffffff",
    "head_title": "bold #000000 on #ffffff",
    "head_warn": "bold #000000 on #ffd400",
    "head_bad": "bold #ffffff on #c00000",
    "bar": "#ffffff",
    "bar_key": "bold #000000 on #ffffff",
    "banner": "bold #000000 on #ffd400",
    "select": "#000000 on #ffffff",
}

_SIXTEEN = {
    "red": "bold white on red",
    "yellow": "black on yellow",
    "green": "black on green",
    "expectant": "bold white on blue",
    "dead": "reverse",
    "good": "green",
    "warn": "bold yellow",
    "bad": "bold white on red",
    "head_bad": "bold white on red",
    "banner": "black on yellow",
}
"""The eight basic colours of a Linux console; bright ones it does not show."""

_TABLES: dict[str, dict[str, str]] = {
    "night": _NIGHT,
    "contrast": _CONTRAST,
    "sixteen": _SIXTEEN,
    "mono": {},
}

PLAIN = frozenset({"sixteen", "mono"})
"""Themes that keep the terminal's own ground."""


def styles(theme: str, *, colour: bool = True) -> Mapping[str, Style]:
    """Return the style of each role; without colour only bold, underline and reverse are used."""
    table = dict(_COMMON)
    if colour:
        table |= _TABLES.get(theme, _SIXTEEN)
    ground = Style.parse(table.get("plain", "none"))
    found = {role: ground + Style.parse(text) for role, text in table.items()}
    select = found["select"]
    # A selected category stays in its own colours; everything else takes the bar's.
    for role in [*found, *_TABLES["night"]]:
        own = colour and role in ("red", "yellow", "green", "expectant", "dead")
        found.setdefault(role, ground)
        found[f"select_{role}"] = found[role] if own else select + Style(bold=found[role].bold)
    return found


def choose(term: str, *, no_colour: bool, wanted: str) -> str:
    """Return the theme for a terminal: what was chosen, or what its kind can show."""
    if wanted == "mono" or no_colour:
        return "mono"
    if term == "linux" or term.startswith("vt"):
        return "sixteen"
    return wanted if wanted in THEMES else "night"
