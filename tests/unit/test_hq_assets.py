"""What the browser gets: others' files are exactly those we named, and nothing calls home."""

import base64
import json
import re
from hashlib import sha384
from pathlib import Path

HQ = Path(__file__).parents[2] / "hq"
VENDOR = HQ / "static" / "vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text("utf-8"))


def test_every_vendored_file_is_the_one_in_the_manifest():
    for part in MANIFEST.values():
        digest = sha384((VENDOR / part["file"]).read_bytes()).digest()
        assert part["integrity"] == "sha384-" + base64.b64encode(digest).decode()


def test_nothing_lies_in_the_vendor_folder_unnamed():
    named = {part["file"] for part in MANIFEST.values()} | {"manifest.json"}

    assert {item.name for item in VENDOR.iterdir()} == named


def test_every_vendored_package_has_its_notice_and_licence():
    notices = (HQ / "THIRD_PARTY_NOTICES.md").read_text("utf-8")

    for part in MANIFEST.values():
        assert f"{part['package']} {part['version']} ({part['licence']})" in notices
        assert part["file"] in notices


def test_no_address_outside_is_in_manifest_pages_or_styles():
    ours = [VENDOR / "manifest.json", *HQ.glob("static/*"), *HQ.glob("pages/*")]

    for item in ours:
        if item.is_file():
            text = item.read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
            assert not re.search(r"https?:|//[a-z]+\.|url\((?!#)|@import", text), item


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def palettes() -> list[dict[str, str]]:
    css = (HQ / "static" / "page.css").read_text("utf-8")
    roots = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    light = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", roots[0]))
    return [light, light | dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", roots[1]))]


def test_every_text_colour_is_readable_on_every_ground_it_stands_on():
    for palette in palettes():
        for ground in ("ground", "paper", "tint"):
            for ink in ("ink", "soft", "accent", "fresh", "alarm"):
                assert contrast(palette[ink], palette[ground]) >= 4.5, (ink, ground)
        assert contrast(palette["warn"], palette["warn-ground"]) >= 4.5
        assert contrast(palette["accent-ink"], palette["accent"]) >= 4.5
        for triage in ("red", "green", "expectant", "dead"):
            assert contrast("#ffffff", palette[triage]) >= 4.5, triage
        assert contrast("#000000", palette["yellow"]) >= 4.5
