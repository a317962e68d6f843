"""Measure every model of MMAction2's index that can be trained here: parameters, multiply-adds, memory of a clip.

    python benchmarks/measure_wheel.py            # a table, measured beside what the index says
    python benchmarks/measure_wheel.py --write    # write resources/wheel_models.json

As `measure_activation.py`, on torch's `meta` device: no model is downloaded, or needs memory for its weights.
"""

from __future__ import annotations

import argparse
import json
import re
from unittest.mock import patch

import measure_activation
from measure_activation import Size, round_up
from mmengine.model import BaseModule

from autox_video.errors import RequestError
from autox_video.presets import shared_folder
from autox_video.presets.wheel import wheel_preset
from autox_video.presets.wheel_index import entry_names, find_entry

UNMEASURED = {"num_parameters": 0, "flops": 0.0, "activation_gib": 0.0}
UNITS = {"": 1.0, "M": 1e6, "G": 1e9}


def measure(name: str) -> Size:
    """Count on the meta device, for one clip as the model was trained on."""
    # TANet initialises itself while it is built, which needs values.
    with patch.object(BaseModule, "init_weights", lambda module: None):
        return measure_activation.measure(wheel_preset(name, UNMEASURED))


def published(name: str, key: str) -> float | None:
    """What the index says of parameters or multiply-adds."""
    match = re.fullmatch(r"([\d.]+)([MG]?)", str(find_entry(name).facts["Metadata"].get(key)))
    return float(match[1]) * UNITS[match[2]] if match else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="models of the index (all)")
    parser.add_argument("--write", action="store_true", help="write resources/wheel_models.json")
    options = parser.parse_args()
    sizes: dict[str, dict[str, float]] = {}
    row = "{:95} {:>10} {:>8} {:>8} {:>8} {:>8}"
    print(row.format("model", "parameters", "index", "GFLOPs", "index", "GiB"))
    for name in options.names or entry_names():
        try:
            size = measure(name)
        except RequestError as error:
            print(error)
            continue
        index = [published(name, key) for key in ("Parameters", "FLOPs")]
        shown = [f"{value / unit:.4g}" if value else "" for value, unit in zip(index, (1e6, 1e9), strict=True)]
        print(
            row.format(
                name,
                f"{size.num_parameters / 1e6:.2f}",
                shown[0],
                f"{size.flops / 1e9:.2f}",
                shown[1],
                f"{size.activation_gib:.3f}",
            )
        )
        sizes[find_entry(name).name] = {
            "num_parameters": size.num_parameters,
            "flops": round(size.flops, -7),
            "activation_gib": round_up(size.activation_gib),
        }
    if options.write:
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(size)}" for name, size in sorted(sizes.items()))
        (shared_folder("resources") / "wheel_models.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
