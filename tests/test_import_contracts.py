"""The two contracts of the imports in pyproject.toml place the same rooms of dlmodules, on the same floors."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def contracts():
    import tomllib

    found = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return {contract["name"].partition(":")[0]: contract for contract in found}


def floors(contract, prefix=""):
    rooms = [{room.strip() for room in floor.split("|")} for floor in contract["layers"]]
    return [{room.removeprefix(prefix) for room in floor if room.startswith(prefix)} for floor in rooms]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.11 reads TOML")
def test_a_room_stands_on_the_same_floor_in_both_contracts():
    within, between = contracts()["Within dlmodules"], contracts()["Between packages"]
    assert floors(within) == [floor for floor in floors(between, "dlmodules.") if floor]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.11 reads TOML")
def test_contracts_within_a_package_are_exhaustive():
    exhaustive = {name for name, contract in contracts().items() if contract.get("exhaustive")}
    assert exhaustive == {"Within dlmodules", "Within datamodules", "Within callbacks"}
