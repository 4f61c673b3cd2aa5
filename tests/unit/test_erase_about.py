"""Erased or released by patient: concerns for safety and counts follow, in scopes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.errors import InputError
from protocols.ids import PatientId, ScopeId
from protocols.ledger import about, orders, releasing
from protocols.ledger.place import DATABASE_NAME
from protocols.ledger.releasing import PURPOSES, Wish
from protocols.ledger.store import open_file
from protocols.ledger.writing import Written
from protocols.trust.certificates import Rank
from protocols.trust.charter import Scope, Sensitivity
from tests.unit.camps import CARE, CARE_ROLE, HQ_ROLE, Camp, know, new_key
from tests.unit.stage import WALL_MS, Device, Stage, line, note, patient, triage
from tests.unit.test_counted import numbers
from tests.unit.test_erase import sound, text_of
from tests.unit.test_erase_disk import KEY, logged, pages

SAFE = Scope(b"safe" * 4, "protection", Sensitivity.PROTECTION, (), True, (CARE_ROLE,))
SUMS = Scope(b"sums" * 4, "sums", Sensitivity.AGGREGATE, (), True, (CARE_ROLE, HQ_ROLE))
SCOPES = (CARE, SAFE, SUMS)
NAMED = ("Zebulon", "Quuxley")
"""In care, and in a concern."""
KEPT = "Amina"


class Ward:
    """Ann, whose book is a file, coordinates all, Ben is issuer; Kim coordinates care only."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        camp = Camp(*SCOPES)
        camp.stores["ann"] = open_file(folder, KEY, create=True)
        self.path = folder / DATABASE_NAME
        self.ann = camp.device("ann", "ministry", rank=Rank.COORDINATOR)
        self.ben = camp.issuer("ministry")
        self.pat = camp.device("pat", "ministry")
        care = (ScopeId(CARE.id),)
        self.kim = camp.device("kim", "ministry", rank=Rank.COORDINATOR, scopes=care)
        self.jo = camp.device("jo", "japan", scopes=())
        self.all = (self.ann, self.ben, self.pat, self.kim)
        know(self.ann, self.ben, self.pat, self.kim, self.jo)
        for scope in SCOPES:
            new_key(self.ann, ScopeId(scope.id))
        self.stage = Stage()
        for other in self.all[1:]:
            self.stage.link(self.ann, other)
        self.stage.run(3_000)
        self.whom = self.admitted(NAMED[0], "red")
        self.kept = self.admitted(KEPT, "green")
        for word, whom in ((NAMED[1], self.whom), ("Ypsilanti", self.kept)):
            data = {"concern": "unaccompanied-child", "text": f"{word} is alone"}
            assert self.stage.write(self.pat, line("protection.record", data, patient=whom))[0].ok
        self.stage.run(3_000)

    def admitted(self, name: str, category: str) -> str:
        whom = self.stage.write(self.pat, patient(name, age={"value": "6", "unit": "y"}))[0].id
        assert whom
        self.stage.write(self.pat, triage(whom, category), note(whom, f"{name} limps"))
        self.stage.run(2_000)
        return whom

    def asked(self, by: Device, *, late: bool = False) -> bytes:
        found = about.whole(by.ledger, [PatientId.parse(self.whom)])
        return orders.request(by.ledger, found.documents, orders.REASONS["asked"], late=late)

    def erase(self, raw: bytes) -> None:
        self.tell(orders.apply(self.ann.ledger, orders.approve(self.ben.ledger, raw), WALL_MS))

    def tell(self, written: list[Written]) -> None:
        assert written
        self.ann.ledger.catch_up_all()
        self.stage.carry(self.ann, self.ann.node.wrote_control(self.stage.now(self.ann)))
        self.stage.run(8_000)


@pytest.fixture
def ward(tmp_path) -> Iterator[Ward]:
    ward = Ward(tmp_path / "ann")
    yield ward
    ward.ann.store.close()


def words(text: bytes) -> list[str]:
    return [word for word in (*NAMED, KEPT) if word.lower().encode() in text.lower()]


def tables(device: Device) -> dict[str, list[tuple[object, ...]]]:
    """What rows, subjects and documents a device has of concerns and counts."""
    return {
        "concerns": device.store.all("SELECT text FROM protection"),
        "counted": device.store.all("SELECT subject_id FROM counted"),
        "about": device.store.all("SELECT kind, count(*) FROM subject GROUP BY 1 ORDER BY 1"),
    }


def test_all_that_is_written_about_a_patient_is_found_in_every_scope(ward: Ward):
    found = about.whole(ward.ann.ledger, [PatientId.parse(ward.whom)])
    scopes = about.scopes_of(ward.ann.ledger, found.documents)
    assert sorted(set(scopes.values())) == sorted(ScopeId(scope.id) for scope in SCOPES)
    assert (found.beyond, found.unread) == (0, ())
    other = about.whole(ward.ann.ledger, [PatientId.parse(ward.kept)])
    assert set(found.documents).isdisjoint(other.documents)


def test_nothing_of_it_remains_in_any_page_and_the_counts_are_of_the_others(ward: Ward):
    assert numbers(ward.ann) == {1: 1, 3: 1}
    assert words(logged(ward.path) + pages(ward.path)) == [*NAMED, KEPT]
    ward.erase(ward.asked(ward.ann))
    for each in (ward.ann, ward.ben, ward.pat):
        assert words(text_of(each)) == [KEPT]
        assert numbers(each) == {3: 1}
        assert tables(each)["concerns"] == [("Ypsilanti is alone",)]
        assert len(tables(each)["counted"]) == 1
        assert sound(each)
    assert words(pages(ward.path) + logged(ward.path)) == [KEPT]
    assert ward.ann.ledger.authority.erasures.confirmed(
        ward.ann.ledger.authority.erasures.erases()[0]
    )
    for scope in SCOPES:
        assert ward.ann.ledger.digest(ScopeId(scope.id)) == ward.pat.ledger.digest(
            ScopeId(scope.id)
        )
    # Nobody who is left leads to what is gone.
    assert len(tables(ward.pat)["about"]) == 3


def test_a_coordinator_of_care_alone_erases_care_and_is_told_what_it_cannot_look_into(ward: Ward):
    found = about.whole(ward.kim.ledger, [PatientId.parse(ward.whom)])
    assert (found.beyond, found.unread) == (0, ("protection", "sums"))
    raw = orders.request(ward.kim.ledger, found.documents, orders.REASONS["asked"])
    signed = orders.approve(ward.ben.ledger, raw)
    written = orders.apply(ward.kim.ledger, signed, WALL_MS)
    assert written
    ward.stage.carry(ward.kim, ward.kim.node.wrote_control(ward.stage.now(ward.kim)))
    ward.stage.run(8_000)
    assert words(text_of(ward.ann)) == [NAMED[1], KEPT]
    # Whoever coordinates the others finds what is left by the patient's number.
    ward.erase(orders.request(ward.ann.ledger, [], orders.REASONS["asked"], late=True))
    assert words(text_of(ward.ann)) == [KEPT]
    assert len(tables(ward.ann)["concerns"]) == 1


def test_a_concern_that_comes_after_the_erase_goes_with_a_late_order(ward: Ward):
    ward.stage.cut(ward.ann, ward.pat)
    raw = ward.asked(ward.ann)
    ward.erase(raw)
    data = {"concern": "other", "text": f"{NAMED[1]} again"}
    late = ward.stage.write(ward.pat, line("protection.record", data, patient=ward.whom))[0]
    assert late.ok
    ward.stage.link(ward.pat, ward.ann)
    ward.stage.run(5_000)
    assert NAMED[1] in words(text_of(ward.ann))
    assert orders.late_documents(ward.ann.ledger)
    ward.erase(orders.request(ward.ann.ledger, [], orders.REASONS["asked"], late=True))
    for each in (ward.ann, ward.ben, ward.pat):
        assert words(text_of(each)) == [KEPT]
    assert not orders.late_documents(ward.ann.ledger)


def wish(ward: Ward, whom: str) -> Wish:
    found = about.whole(ward.ann.ledger, [PatientId.parse(whom)])
    return Wish(found.documents, ("japan",), PURPOSES["transfer"], "Agreement 7, article 2")


def scopes_in(ward: Ward, raw: bytes) -> set[str]:
    order = releasing.read(ward.ann.ledger, raw)
    return {each.scope for each in releasing.ordered(ward.ann.ledger, order)}


def test_a_release_takes_concerns_along_and_leaves_counts_at_home(ward: Ward):
    fresh = ward.ann.chance.randbytes(64 * 64)
    raw = releasing.request(ward.ann.ledger, wish(ward, ward.whom), fresh)
    assert scopes_in(ward, raw) == {"care", "protection"}
    signed = releasing.approve(ward.ben.ledger, raw)
    written = releasing.apply(ward.ann.ledger, signed, WALL_MS)
    ward.tell(written)
    file = releasing.export(ward.ann.ledger, [each.entry.hash for each in written])
    releasing.import_file(ward.jo.ledger, file, WALL_MS)
    assert tables(ward.jo)["concerns"] == [("Quuxley is alone",)]
    assert tables(ward.jo)["counted"] == [] and numbers(ward.jo) == {}
    assert words(text_of(ward.jo)) == list(NAMED)
    # And what was released goes there too once it is erased.
    ward.erase(ward.asked(ward.ann))
    ward.stage.link(ward.jo, ward.ann)
    ward.stage.run(8_000)
    assert words(text_of(ward.jo)) == []


def test_a_count_alone_is_not_released(ward: Ward):
    counts = [
        document
        for document, scope in about.scopes_of(
            ward.ann.ledger, about.documents_about(ward.ann.ledger, PatientId.parse(ward.whom))
        ).items()
        if scope == ScopeId(SUMS.id)
    ]
    assert counts
    alone = Wish(tuple(counts), ("japan",), PURPOSES["public-health"], "Agreement 7")
    with pytest.raises(InputError) as refused:
        releasing.request(ward.ann.ledger, alone, ward.ann.chance.randbytes(64 * 64))
    assert refused.value.code == "release_count"
