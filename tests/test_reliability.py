"""What docs/reliability.md says was measured is what the last `make torture` wrote."""

from __future__ import annotations

import json
from pathlib import Path

import torture

ROOT = Path(__file__).parent.parent
MEASURED = json.loads((ROOT / "benchmarks" / "results" / "torture.json").read_text())


def test_the_table_is_that_of_the_results() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert torture.table(MEASURED) in page
    for result in MEASURED.values():
        for name, version in result["versions"].items():
            assert f"{name} {version.partition('+')[0]}" in page
        assert f"{result['cores']} cores" in page
        assert result["date"] in page


def test_nothing_of_ours_was_lost() -> None:
    ours = {name: result["counts"] for name, result in MEASURED.items() if name.endswith("-ours")}
    assert set(ours) == {name for name in torture.TITLES if name.endswith("-ours")}
    for name, counts in ours.items():
        assert [counts[key] for key in ("impossible", "silent", "behind", "best_lost")] == [0, 0, 0, 0], name
        assert counts["identical"] == counts["chains"] > 0, name
    assert ours["random-ours"]["kills"] >= 60
    assert ours["random-ours"]["in_write"] >= 20
