"""What is chosen at a node's terminals and kept on the node, and how a node greets one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.ids import SiteId
from protocols.ledger.book import Ledger
from protocols.live.api import LOCK_AFTER_DEFAULT_MIN, LOCK_AFTER_MIN, SETTINGS, Greeting
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records.display import clean_text


def greeting(node: Node, locked: bool, here: tuple[str, str, int, bool]) -> Greeting:
    """Say who the node is and what was chosen; `here` is who sits at the terminal."""
    ledger = node.ledger
    chosen = _kept(ledger)
    store, store_name = chosen_store(ledger)
    return Greeting(
        device=str(ledger.authority.device),
        name=ledger.authority.name_of(ledger.authority.device),
        locked=locked,
        person=here[0],
        person_id=here[1],
        people=here[2],
        gated=here[3],
        language=chosen.get("language", ""),
        theme=chosen.get("theme", ""),
        tag_prefix=chosen.get("tag_prefix", ""),
        lock_after_min=_minutes(chosen.get("lock_after", "")),
        sound=chosen.get("sound", ""),
        printer=chosen.get("printer", ""),
        printer_kind=chosen.get("printer_kind", ""),
        store=store,
        store_name=store_name,
    )


def settings(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Keep what is chosen, as far as it is one of ours and short enough; return all that is."""
    chosen = _kept(node.ledger)
    for name, most in SETTINGS.items():
        value = args.get(name)
        if isinstance(value, str) and len(value) <= most:
            chosen[name] = value
    with node.ledger.store.atomic():
        node.ledger.store.execute(
            "INSERT OR REPLACE INTO meta VALUES ('settings', ?)", (msgspec.json.encode(chosen),)
        )
    return chosen


def chosen_store(ledger: Ledger) -> tuple[str, str]:
    """Return id and name of the store that was last chosen on this device.

    Both are '' where none was chosen or no such store is known here.
    """
    try:
        site = SiteId.parse(_kept(ledger).get("store", ""))
    except InputError:
        return "", ""
    row = ledger.store.one("SELECT name FROM site WHERE id = ? AND replaced < 2", (bytes(site),))
    return (str(site), clean_text(row[0])) if row else ("", "")


def _minutes(text: str) -> int:
    """Return after how many idle minutes terminals lock; what was not chosen is the default."""
    known = text in {str(minutes) for minutes in LOCK_AFTER_MIN}
    return int(text) if known else LOCK_AFTER_DEFAULT_MIN


def _kept(ledger: Ledger) -> dict[str, str]:
    row = ledger.store.one("SELECT value FROM meta WHERE name = 'settings'")
    return msgspec.json.decode(row[0], type=dict[str, str]) if row else {}
