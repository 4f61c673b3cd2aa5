"""A published catalogue replaces the one that came with the software, in stores and for scans."""

from __future__ import annotations

import base64
from importlib.resources import files

from protocols.guidelines.canonical import canonical, packed
from protocols.ledger import stores
from protocols.live import stocklists
from protocols.mesh.effects import Now
from protocols.records.answer import Answer
from protocols.trust.packs import pack_digest, sign_pack
from protocols.trust.statements import pack as bytes_of
from tests.unit.people import founder, write
from tests.unit.stage import WALL_MS

SHIPPED = (files("protocols.guidelines") / "packs" / "items.toml").read_text("utf-8")
NOW = Now(WALL_MS, 0, bytes)
GTIN = "05901234123457"

NATIONAL = (
    SHIPPED[: SHIPPED.index("[[item]]")].replace('version = "1"', 'version = "2"', 1)
    + f"""
[[item]]
code = "ors-national"
words = {{ en = "Salts of the ministry", fr = "Sels du ministère" }}
unit = "sachet"
form = "powder"
barcodes = [{{ code = "{GTIN}", units = 25 }}]
"""
)


def b64(raw):
    return base64.b64encode(raw).decode()


def one(device, kind, data, **more) -> Answer:
    line = {"v": 1, "kind": kind, "key": f"{kind}-{sorted(data.items())}"[:120], "data": data}
    (answer,) = write(device, None, line | more)
    device.ledger.catch_up_all()
    return answer


def publish(device, text):
    authority, raw = device.ledger.authority, canonical(text)
    signed = sign_pack(authority.keys, authority.operation, "items", "2", pack_digest(raw))
    answer = one(
        device, "pack.publish", {"pack": b64(packed(raw)), "signed": b64(bytes_of(signed))}
    )
    assert answer.ok, answer


def test_stores_and_scans_go_by_the_catalogue_that_is_in_use():
    ann = founder()
    store = one(ann, "site.register", {"name": "Depot"}).id
    scan = {"code": f"]d201{GTIN}17310300"}
    assert stocklists.scanned(ann.node, NOW, scan)["means"] == []
    assert one(ann, "stock.receive", {"item": "ors-1l-sachet", "units": 1}, store=store).ok

    publish(ann, NATIONAL)

    assert [row.code for row in stores.catalogue(ann.ledger).item] == ["ors-national"]
    refused = one(ann, "stock.receive", {"item": "ors-1l-sachet", "units": 2}, store=store)
    assert (refused.error, refused.field) == ("unknown_item", "data.item")
    assert one(ann, "stock.receive", {"item": "ors-national", "units": 2}, store=store).ok
    assert stocklists.scanned(ann.node, NOW, scan)["means"] == [
        {"item": "ors-national", "units": 25, "taught": False}
    ]
    # What was received by the earlier catalogue is still there and told.
    asked = {"report": "cover", "store": "depot"}
    rows = stocklists.report(ann.node, NOW, asked)["rows"]
    assert [row[0] for row in rows] == ["ors-1l-sachet", "ors-national"]


def test_what_is_on_its_way_is_told_beside_what_is_there():
    ann = founder()
    here = one(ann, "site.register", {"name": "Here"}).id
    there = one(ann, "site.register", {"name": "There"}).id
    came = {"item": "ors-1l-sachet", "units": 100, "lot": "A", "expiry": "2031-01"}
    assert one(ann, "stock.receive", came, store=here).ok
    lines = [{"item": "ors-1l-sachet", "lot": "A", "units": 40}]
    answer = one(ann, "shipment.dispatch", {"to": there, "lines": lines}, store=here)
    assert answer.ok, answer

    asked = {"report": "cover", "store": "there"}
    page = stocklists.report(ann.node, NOW, asked)

    (row,) = page["rows"]
    said = dict(zip(page["columns"], row, strict=True))
    assert (said["least"], said["on_way"]) == (0, 40)


def test_a_recalled_lot_covers_no_day():
    ann = founder()
    store = one(ann, "site.register", {"name": "Here"}).id
    for lot, units in (("A", 40), ("B", 7)):
        came = {"item": "ors-1l-sachet", "units": units, "lot": lot, "expiry": "2031-01"}
        assert one(ann, "stock.receive", came, store=store, at=WALL_MS - 9 * 86_400_000).ok
    gone = {"item": "ors-1l-sachet", "units": 1, "lot": "B", "why": "to-ward"}
    assert one(ann, "stock.issue", gone, store=store, at=WALL_MS - 86_400_000).ok

    def days():
        page = stocklists.report(ann.node, NOW, {"report": "cover", "store": "here"})
        return dict(zip(page["columns"], page["rows"][0], strict=True))["days"]

    before = float(days())
    recall = {"item": "ors-1l-sachet", "lot": "A", "level": "harmful", "why": "contaminated"}
    answer = one(ann, "lot.recall", recall)
    assert answer.ok, answer
    assert float(days()) < before / 7
