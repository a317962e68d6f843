"""A bundle in virtual environments that hold torch, numpy, PyAV and what those need, and nothing else.

    python benchmarks/bundle_alone.py work_dirs/demo --torch 2.4.1 2.15.0

The work dir is that of a trained and tested run, which `autox-video export` was run on. For each torch an environment
is made (up to 6 GB of disk; it is removed), and `predict.py` says what all videos of the test show: the table has how
many of them are of the class of `results.json`, and how far the scores are apart.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

from measuring import markdown, write_result

NAME = "bundle_alone"
HEADS = ("torch", "beside it", "the same top-1", "largest difference of a score")
FOREIGN = ("autox-video", "mmengine", "mmaction2", "mmcv-lite", "opencv-python", "safetensors")


def main() -> None:
    """Make the environments one after another and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--torch", nargs="+", default=["2.15.0"])
    arguments = parser.parse_args()
    results = json.loads((arguments.run / "results.json").read_text(encoding="utf-8"))
    rows = [row_of(release, arguments.run.absolute() / "bundle" / "predict.py", results) for release in arguments.torch]
    print(table(write_result(NAME, {"model": results["model"], "rows": rows}, ("torch", "numpy", "av"))))


def table(record: dict[str, Any]) -> str:
    """A row a torch."""
    lines = [
        [row["torch"], row["beside"], f"{row['same']} of {row['videos']}", f"{row['difference']:.0e}"]
        for row in record["rows"]
    ]
    return markdown(HEADS, lines)


def row_of(release: str, script: Path, results: dict[str, Any]) -> dict[str, Any]:
    """One environment, and what `predict.py` says in it."""
    expected = {row["file"]: row for row in results["videos"] if row["status"] == "ok"}
    files = [str(Path(results["data_root"], file)) for file in expected]
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder, "bin", "python"))
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "--no-cache-dir", f"torch=={release}", "numpy", "av"], check=True
        )
        listed = json.loads(subprocess.check_output([python, "-m", "pip", "list", "--format=json"], text=True))
        held = {package["name"].lower(): package["version"] for package in listed}
        assert not held.keys() & set(FOREIGN), held
        said = subprocess.run(
            [python, "-I", str(script), *files], stdout=subprocess.PIPE, text=True, check=True, cwd="/"
        )
    found = [json.loads(line) for line in said.stdout.splitlines()]
    pairs = list(zip(found, expected.values(), strict=True))
    return {
        "torch": held["torch"],
        "beside": f"numpy {held['numpy']}, av {held['av']}",
        "videos": len(pairs),
        "same": sum(one["labels"] == [row["predicted_label"]["name"]] for one, row in pairs),
        "difference": max(
            abs(a - b) for one, row in pairs for a, b in zip(one["scores"].values(), row["scores"], strict=True)
        ),
    }


if __name__ == "__main__":
    sys.exit(main())
