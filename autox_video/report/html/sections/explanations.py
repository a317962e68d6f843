"""What the most confident mistakes rest on, where `autox-video explain --mistakes` has looked."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from autox_video.report.explanations import RECORD
from autox_video.report.html.markup import Html, join, paragraph, picture, tag
from autox_video.report.html.parts import ReportedRun, Section, Text

logger = logging.getLogger(__name__)
# After the mistakes themselves.
ORDER = 82
# A strip has about 60 KiB.
MAX_STRIPS = 20

TITLE = Text("What some mistakes rest on", "部分错误判断的依据")
HOW = Text(
    "Each moment and region was hidden in turn. Orange: what the wrong label rests on; blue: what speaks against it.",
    "依次遮住每个时刻和每个区域。橙色：错误标签所依据的部分；蓝色：与之相悖的部分。",
)
OLD = Text(
    "Made with another file of weights than the one tested: run `autox-video explain --mistakes` again.",
    "所用权重文件与所测试的不同：请重新运行 `autox-video explain --mistakes`。",
)


def section(run: ReportedRun) -> Section | None:
    """The strips; None where nobody asked for them."""
    folder = run.work_dir.explanations
    record = folder / RECORD
    if not record.is_file():
        return None
    try:
        written = json.loads(record.read_text(encoding="utf-8"))
        shown = [_one(folder, video) for video in written["videos"][:MAX_STRIPS]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("warning  the report does without %s: %s", record, error)
        return None
    tested = run.results.checkpoint if run.results else None
    same = tested is None or written.get("model_sha256") == tested.sha256
    return Section("explanations", TITLE, join([paragraph(HOW), "" if same else paragraph(OLD, kind="note"), *shown]))


def _one(folder: Path, video: dict[str, Any]) -> Html:
    says = Text(video["says"]["en"], video["says"]["zh"])
    told = Text(f"{video['label']}, in truth {video['true_label']}", f"{video['label']}，实为 {video['true_label']}")
    # The name is that of a file beside the record, whatever stands there.
    strip = (folder / Path(video["strip"]).name).read_bytes()
    return tag("div", tag("h3", video["file"]), paragraph(told), paragraph(says), picture(strip, says))
