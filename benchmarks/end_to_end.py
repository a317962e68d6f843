"""Training and testing as a user starts them: clips and videos a second, ours against stock.

Ours is `AutoTrain.py` and `AutoTest.py`; stock is MMAction2's `tools/train.py` and `tools/test.py` on the config that
`render --stock` writes for the same run. Both start from random weights, with the same batches, epochs and views, and
with as many threads as our plan says. Training is timed from the second epoch on, from the end of a validation to the
last step; testing from the end of its first batch to that of the last. Turns alternate; figures are medians.

    autox-video demo-data data/demo
    python benchmarks/end_to_end.py [-c config.yaml] [--name actions25] [--device cuda]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from killing import Life, live, spawn
from measuring import ROOT, goal, markdown, ratio, turns, write_result
from reliability_cost import epoch_seconds
from stacks import our_stack, render_stock, stock_stack, stock_tool

SIDES = ("ours", "stock")
TRAIN_GOAL, TEST_GOAL = 1.5, 2.0
CLIP = ("clip.clip_len=8", "clip.input_size=112")
LIMIT_SECONDS = 3600


@dataclass(frozen=True)
class Case:
    """What is trained and tested.

    Attributes:
        folder: Everything is written here.
        config: The user's YAML.
        options: More words for every command of ours.
        epochs: Of each training.
        videos: Of each split.
    """

    folder: Path
    config: Path
    options: tuple[str, ...]
    epochs: int
    videos: dict[str, int]

    def place(self, what: str, side: str, number: int) -> Path:
        """Where a turn writes."""
        return self.folder / f"{what}-{side}-{number}"

    @property
    def stock(self) -> Path:
        """The rendered config of stock."""
        return self.folder / "stock.py"

    @property
    def run(self) -> Path:
        """The work dir whose checkpoint both test."""
        return self.place("train", "ours", 0) / "run"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-c", "--config", type=Path, default=ROOT / "config.yaml")
    parser.add_argument("--model", default="video_swin_nano")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--name", help="added to the name of the result, for other data than the demo")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="more settings, such as a clip")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=2, help="trainings of each side; tests are twice as many")
    arguments = parser.parse_args()
    settings = [f"model.name={arguments.model}", "model.load_from=none", f"runtime.device={arguments.device}", *CLIP]
    settings += [f"epoch={arguments.epochs}", "train.val_interval=1", *arguments.set]
    with tempfile.TemporaryDirectory() as temporary:
        case, threads = prepare(Path(temporary), arguments.config.resolve(), settings, arguments.epochs)
        os.environ["OMP_NUM_THREADS"] = str(threads)
        training = measure_training(case, arguments.repeats)
        testing = measure_testing(case, 2 * arguments.repeats)
    name = "_".join(["end_to_end", *filter(None, [arguments.name, "cuda" if arguments.device == "cuda" else ""])])
    figures = {"settings": settings, "threads": threads, "device": device_name(arguments.device)}
    print(table(write_result(name, {**figures, "training": training, "testing": testing})))


def prepare(folder: Path, config: Path, settings: list[str], epochs: int) -> tuple[Case, int]:
    """Render for stock, and ask our plan what it is to be compared under; returns the planned threads too."""
    from autox_video.settings.load import load_settings
    from autox_video.workflow import plan

    options = tuple(word for setting in settings for word in ("--set", setting))
    work_dir = folder / "rendered"
    decided = plan(load_settings(config, settings, work_dir=work_dir))
    case = Case(folder, config, options, epochs, dict(decided.num_videos))
    render_stock(["-c", str(config), "--work-dir", str(work_dir), *options], case.stock)
    return case, decided.threads.value


def measure_training(case: Case, repeats: int) -> dict[str, Any]:
    """Seconds of each epoch but the first of every training, and the share of them spent waiting for data."""
    stacks = {"ours": our_stack(case.config, *case.options), "stock": stock_stack(case.stock, case.epochs)}
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    waiting: dict[str, list[float]] = {side: [] for side in SIDES}
    for number, side in turns(SIDES, repeats):
        place = case.place("train", side, number)
        life = live(spawn, stacks[side].command(place / "run", None), place, None, LIMIT_SECONDS)
        epochs = epoch_seconds(life.events)[0]
        if len(epochs) != case.epochs - 1:
            raise SystemExit(f"{side} did not train to the end\n{life.output[-3000:]}")
        seconds[side] += epochs
        waiting[side].append(waiting_share(life))
        print(f"train  {side:5}  {case.videos['train'] / statistics.median(epochs):7.1f} clips/s", flush=True)
    return {"videos_an_epoch": case.videos["train"], "seconds_an_epoch": seconds, "share_of_waiting": waiting}


def waiting_share(life: Life) -> float:
    """The share of the steps' time in which a step waited for its batch; what lies between epochs is left out."""
    timed = [(line.split()[0], float(line.split()[-1])) for line in life.events]
    spent = {("done", "step"): 0.0, ("step", "done"): 0.0}
    for (kind, sooner), (next_kind, later) in itertools.pairwise(timed):
        if (kind, next_kind) in spent:
            spent[kind, next_kind] += later - sooner
    return spent["done", "step"] / sum(spent.values())


def measure_testing(case: Case, repeats: int) -> dict[str, Any]:
    """Seconds a video of every test, of the whole command, and the accuracy that each side found."""
    best = case.run / "best.pth"
    found: dict[str, dict[str, list[float]]] = {
        key: {side: [] for side in SIDES} for key in ("seconds_a_video", "seconds_of_command", "top1")
    }
    for number, side in turns(SIDES, repeats):
        place = case.place("test", side, number)
        if side == "ours":
            results = place / "results.json"
            words = [str(ROOT / "AutoTest.py"), "-c", str(case.config), "--work-dir", str(case.run), *case.options]
            words += ["--checkpoint", str(best), "--set", f"test_results_path={results}"]
        else:
            words = [stock_tool("test"), str(case.stock), str(best), "--work-dir", str(place / "run")]
        began = time.perf_counter()
        life = live(spawn, words, place, None, LIMIT_SECONDS)
        found["seconds_of_command"][side].append(time.perf_counter() - began)
        found["seconds_a_video"][side].append(seconds_a_video(life))
        found["top1"][side].append(read_top1(results) if side == "ours" else read_stock_top1(life.output))
        print(f"test   {side:5}  {1 / found['seconds_a_video'][side][-1]:7.1f} videos/s", flush=True)
    return {"videos": case.videos["test"], **found}


def seconds_a_video(life: Life) -> float:
    """From the end of the first batch to that of the last."""
    ends = [line.split()[1:] for line in life.events if line.startswith("tested ")]
    if len(ends) < 2:
        raise SystemExit(f"the test had {len(ends)} batches: at least two are needed\n{life.output[-3000:]}")
    return (float(ends[-1][1]) - float(ends[0][1])) / sum(int(count) for count, _ in ends[1:])


def read_top1(results: Path) -> float:
    """What `results.json` says."""
    top1: float = json.loads(results.read_text(encoding="utf-8"))["metrics"]["top1"]
    return top1


def read_stock_top1(output: str) -> float:
    """What MMAction2 logs after a test, to four digits."""
    return float(re.findall(r"acc/top1: ([0-9.]+)", output)[-1])


def device_name(device: str) -> str | None:
    """Of a GPU its name; None says that the machine's processor computes."""
    if device != "cuda":
        return None
    import torch

    return str(torch.cuda.get_device_name())


def table(record: dict[str, Any]) -> str:
    """Throughput of both sides, the ratios and their goals, and what the training waits for."""
    training, testing = record["training"], record["testing"]
    rows = []
    kinds = (
        ("training, clips/s", training["seconds_an_epoch"], training["videos_an_epoch"], TRAIN_GOAL),
        ("testing, videos/s", testing["seconds_a_video"], 1, TEST_GOAL),
    )
    for what, seconds, count, aim in kinds:
        times = ratio(seconds, "stock", "ours")
        rates = [f"{count / statistics.median(seconds[side]):.1f}" for side in SIDES]
        rows.append([what, *rates, f"{times:.2f}", goal(times, at_least=aim)])
    command = testing["seconds_of_command"]
    whole = [f"{statistics.median(command[side]):.1f} s" for side in SIDES]
    rows.append(["the whole command of a test", *whole, f"{ratio(command, 'stock', 'ours'):.2f}", ""])
    waits = [f"{statistics.median(training['share_of_waiting'][side]):.0%}" for side in SIDES]
    rows.append(["share of training that waits for data", *waits, "", ""])
    top1 = [testing["top1"][side][0] for side in SIDES]
    # Ours scales with other arithmetic than stock, which moves a pixel by a level or two.
    other = round(abs(top1[0] - top1[1]) * testing["videos"])
    same = "the same to four digits" if not other else f"differs by {other} of {testing['videos']} videos"
    rows.append(["top1 of the test, same checkpoint", *(f"{one:.4f}" for one in top1), "", same])
    return markdown(["what", "ours", "stock", "ours / stock", "goal"], rows)


if __name__ == "__main__":
    main()
