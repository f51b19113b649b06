"""The device catalogue: what ships is marked as remembered, and a user's own file is checked field by field."""

import json

import pytest
from VertebralAugmentationPlannerLib.augmentation import find_device, load_catalog, read_catalog, shipped_catalog
from VertebralAugmentationPlannerLib.model import CANNULAS, InputError

OWN = {
    "name": "My balloon 12",
    "length_mm": 12,
    "max_volume_ml": 3.5,
    "max_pressure_psi": 600,
    "deflated_diameter_mm": 2.6,
    "thinnest_cannula": "11G",
    "source": "package insert, 2024",
    "verified": True,
}


def write(path, *entries, **top):
    path.write_text(json.dumps({"schema": "vertebral-augmentation-catalog/1", "balloons": list(entries), **top}))
    return str(path)


def test_what_ships_has_three_lengths_and_claims_no_verification():
    devices = load_catalog()
    assert {device.length_mm for device in devices} == {10.0, 15.0, 20.0}
    assert not any(device.verified for device in devices)
    assert all("[M]" in device.source for device in devices)
    assert all(device.volume_at_max_pressure_ml is None for device in devices)
    assert shipped_catalog().name == "balloons.json"


def test_an_8G_cannula_takes_every_balloon_and_a_13G_none():
    devices = load_catalog()
    assert all(device.passes(CANNULAS["8G"]) for device in devices)
    assert not any(device.passes(CANNULAS["13G"]) for device in devices)
    assert any(device.passes(CANNULAS["10G"]) for device in devices)


def test_the_users_own_come_first_and_replace_their_namesakes(tmp_path):
    shipped = load_catalog()
    corrected = {**OWN, "name": shipped[0].name.upper(), "max_volume_ml": 5.0}
    devices = load_catalog(write(tmp_path / "own.json", OWN, corrected))
    assert [device.name for device in devices[:2]] == ["My balloon 12", corrected["name"]]
    assert len(devices) == len(shipped) + 1
    assert find_device(devices, shipped[0].name).max_volume_ml == 5.0
    assert find_device(devices, "my  BALLOON 12").verified


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"length_mm": 0}, "length_mm.*from 5 to 40"),
        ({"length_mm": "15"}, "length_mm"),
        ({"length_mm": True}, "length_mm"),
        ({"max_volume_ml": float("nan")}, "max_volume_ml"),
        ({"max_volume_ml": 400}, "max_volume_ml"),
        ({"max_pressure_psi": -1}, "max_pressure_psi"),
        ({"thinnest_cannula": "9G"}, "9G.*8G, 10G, 11G, 13G"),
        ({"verified": "yes"}, "true or false"),
        ({"source": "  "}, "source"),
        ({"name": ""}, "name"),
        ({"lenght_mm": 12}, "lenght_mm.*unknown"),
        ({"elongation": None}, "elongation"),
        ({"deflated_diameter_mm": 6.0}, "6 mm thick does not pass the 11G cannula, which is 3.05 mm thick outside"),
        ({"deflated_diameter_mm": 3.05}, "does not pass the 11G"),
    ],
)
def test_an_entry_that_cannot_be_used_is_named_with_its_field(tmp_path, change, says):
    with pytest.raises(InputError, match=says):
        load_catalog(write(tmp_path / "own.json", {**OWN, **change}))


@pytest.mark.parametrize("field", ["name", "length_mm", "source", "verified", "max_pressure_psi"])
def test_a_missing_field_is_named(tmp_path, field):
    entry = {key: value for key, value in OWN.items() if key != field}
    with pytest.raises(InputError, match=f"{field}.*missing"):
        load_catalog(write(tmp_path / "own.json", entry))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not valid JSON"),
        ("[]", "schema"),
        ('{"schema": "other/1", "balloons": []}', "schema"),
        ('{"schema": "vertebral-augmentation-catalog/1"}', "lists no"),
        ('{"schema": "vertebral-augmentation-catalog/1", "balloons": []}', "lists no"),
        ('{"schema": "vertebral-augmentation-catalog/1", "balloons": [3]}', "should be an object"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(tmp_path, text, says):
    path = tmp_path / "own.json"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        load_catalog(path)


def test_a_missing_file_twins_and_bytes_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load_catalog(tmp_path / "none.json")
    with pytest.raises(InputError, match="two balloons named"):
        load_catalog(write(tmp_path / "twins.json", OWN, OWN))
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not text"):
        read_catalog(tmp_path / "bytes.json")


def test_an_unknown_balloon_is_answered_with_the_list():
    with pytest.raises(InputError, match="“Huge 40” is not in the catalogue.*KYPHON Xpander 20/3"):
        find_device(load_catalog(), "Huge 40")
