"""Many persons certified together: one signed record, all of them or none."""

import pytest

from protocols.errors import InputError
from protocols.ids import DeviceId
from protocols.ledger import persons
from protocols.ledger.personnel import Asked, certify_all
from protocols.ledger.persons import Grant
from protocols.live.personcommands import papers_of
from protocols.live.rostertable import parse_table
from tests.unit.people import NURSE, camp, made, profile, synced
from tests.unit.stage import WALL_MS


def asked(device, name, roles=(NURSE,)) -> Asked:
    key = made(device)
    raw = persons.request_of(key, device.ledger.authority.operation, profile(name), WALL_MS)
    request = persons.read_asked(device.ledger, raw)
    persons.wait_for(device.ledger, request, key.wrapped)
    return Asked(request, profile(name), Grant(roles))


def test_a_roster_is_one_record_that_every_device_judges():
    ann, ben = camp("ben")
    rows = [asked(ben, f"Nurse {at}") for at in range(12)]
    before = len(ann.store.all("SELECT 1 FROM entry"))
    files = certify_all(ann.ledger, rows, ann.chance.randbytes, WALL_MS)

    assert len(ann.store.all("SELECT 1 FROM entry")) == before + 1
    for raw in files:
        persons.take_in(ben.ledger, raw, WALL_MS)
    assert [each.certified for each in persons.enrolled(ben.ledger)] == [True] * 12
    synced(ann, ben)
    roster = ben.ledger.authority.roster
    serials = {roster.certificates(DeviceId(row.request.person))[0][1].serial for row in rows}
    assert len(serials) == 12
    assert roster.reused_serials() == []


@pytest.mark.parametrize("wrong", ["role", "twice", "profile"])
def test_one_bad_row_is_named_and_nobody_is_certified(wrong):
    ann, ben = camp("ben")
    rows = [asked(ben, f"Nurse {at}") for at in range(3)]
    bad = {
        "role": Asked(rows[1].request, rows[1].profile, Grant((99,))),
        "twice": rows[0],
        "profile": Asked(rows[1].request, profile("Zz\n"), rows[1].grant),
    }[wrong]
    before = ann.store.all("SELECT hash FROM entry")
    with pytest.raises(InputError) as error:
        certify_all(ann.ledger, [rows[0], bad, rows[2]], ann.chance.randbytes, WALL_MS)

    assert error.value.field == "row 2"
    assert ann.store.all("SELECT hash FROM entry") == before


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ({"licence_until": "soon"}, "bad_date"),
        ({"practice": "note.add;no.such"}, "unknown_kind"),
    ],
)
def test_papers_of_a_roster_are_read_or_refused(stated, code):
    with pytest.raises(InputError) as error:
        papers_of("A", stated)
    assert error.value.code == code


def test_what_a_roster_leaves_empty_stays_as_the_person_asked_for_it():
    found = papers_of("", {"practice": "note.add", "licence_until": "2031-12-31"})
    assert found == {"practice": [40], "licence_until_ms": 1_956_527_999_999}


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("a.req,device,,KE-1,", "row 1 licence"),
        ("a.req,person,care;JP,,", "row 1 scopes"),
        ("a.req,pilot,,,", "row 1 as"),
    ],
)
def test_papers_beside_a_device_and_scopes_beside_a_person_are_refused(row, column):
    with pytest.raises(InputError) as error:
        parse_table(b"request,as,scopes,licence,name\n" + row.encode(), toml=False)
    assert error.value.field == column
