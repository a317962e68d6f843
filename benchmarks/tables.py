"""The tables of `benchmarks/README.md`, from what the scripts wrote to `benchmarks/results/`.

python benchmarks/tables.py            # print them
python benchmarks/tables.py --write    # put them into README.md
"""

from __future__ import annotations

import argparse
import importlib
from dataclasses import dataclass
from typing import Any

from measuring import ROOT, read_result

PAGE = ROOT / "benchmarks" / "README.md"
BEGIN, END = "<!-- from results/ by tables.py -->", "<!-- end -->"
NOT_RUN = "Not yet run."


@dataclass(frozen=True)
class Section:
    """A table of the page.

    Attributes:
        title: Its heading.
        script: The module whose `table(record)` makes it.
        limited: What limits the figures, where the table itself does not say it.
        result: Name of the file in `results/`, where it is not the script's.
    """

    title: str
    script: str
    limited: str
    result: str = ""


SECTIONS = (
    Section("A step of the model on the CPU", "model_step", "matrix products, half (nano) to 3 quarters (tiny) of it"),
    Section("A step of the model on a GPU", "model_step", "", "model_step_cuda"),
    Section("Loss curves", "loss_curves", ""),
    Section("Batches", "batches", "copying and normalising the clips"),
    Section("The data path", "data_path", "decoding frames that others refer to, 86 % of a clip at 1080p"),
    Section("Varying the pixels of a clip", "augmentation", "memory and OpenCV's warps"),
    Section("The proxy cache", "proxy_cache", "decoding the proxy"),
    Section("What proxies do to accuracy", "proxy_accuracy", ""),
    Section(
        "A pretrained network on 150 real videos of 25 classes",
        "transfer_accuracy",
        "the network; the minutes of the default settings were taken beside other work",
    ),
    Section("Timelines: demo clips joined, with still background between", "timeline_segments", "the model's accuracy"),
    Section("Timelines: memory", "timeline_memory", "the network"),
    Section("Wrong labels found", "label_audit", ""),
    Section("Training and testing, the demo on the CPU", "end_to_end", "the network, where little waits for data"),
    Section("The same of 200 real videos, 25 classes", "end_to_end", "the network", "end_to_end_actions25"),
    Section("Training and testing, the demo on a GPU", "end_to_end", "", "end_to_end_cuda"),
    Section("From the command to the first iteration", "overhead", "importing torch and MMAction2"),
    Section("Throughput beside saving and validating", "reliability_cost", "the network; saving hides behind it"),
    Section("`--help` and `check`", "startup", "Python's imports; torch is not among them"),
    Section("Uploads to `autox-video serve`", "serve_load", "decoding and the network, one video at a time"),
    Section("The page of the report", "report_page", "decoding; at most 300 films are drawn"),
    Section("`autox-video predict`, killed", "predict_killed", "decoding and the network; no speed is promised"),
    Section("Long lists", "list_scale", "reading and checking lines in Python; opening videos, the first time"),
    Section("Which models can be exported", "export_table", ""),
    Section("A bundle with torch, numpy and PyAV alone, the test videos of the demo", "bundle_alone", ""),
)


def page(text: str) -> str:
    """The page with its tables written anew."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{rest.partition(END)[2]}"


def tables() -> str:
    """All tables, each under its heading."""
    return "\n\n".join(_section(section) for section in SECTIONS)


def _section(section: Section) -> str:
    name = section.result or section.script
    record = read_result(name)
    head = f"### {section.title}\n\n`{section.script}.py`"
    if record is None:
        return f"{head}: {NOT_RUN.lower()}"
    table = importlib.import_module(section.script).table(record)
    limited = f" Limited by: {section.limited}." if section.limited else ""
    return f"{head}, {_circumstances(record)}.{limited}\n\n{table}"


def _circumstances(record: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {found.partition('+')[0]}" for name, found in record["versions"].items())
    device = record.get("device") or record.get("cpu") or "x86-64 server"
    load = record.get("load_before_and_after")
    busy = f", load {load[0]:.1f} before and {load[1]:.1f} after" if load else ""
    return f"{record['date']}, {record['cores']} cores of {device}{busy}, Python {record['python']}, {versions}"


def main() -> None:
    """Print or write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put them into benchmarks/README.md")
    if parser.parse_args().write:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(tables())


if __name__ == "__main__":
    main()
