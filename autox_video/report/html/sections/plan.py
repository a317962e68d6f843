"""The plan: every value of the run, where it comes from and why."""

from __future__ import annotations

from typing import Any

from autox_video.plan.estimates import estimate_lines
from autox_video.report.html.markup import Cell, Html, in_english, join, paragraph, table, tag
from autox_video.report.html.parts import ReportedRun, Section, Text
from autox_video.settings.reference_zh import HELP_ZH

ORDER = 120
TITLE = Text("The plan and its reasons", "训练方案及其理由")
MAX_VALUE = 60
SOURCES = {
    "data": Text("data", "数据"),
    "hardware": Text("hardware", "硬件"),
    "preset": Text("preset", "模型预设"),
    "default": Text("default", "默认值"),
    "plan": Text("plan", "由其他取值推出"),
    "trial": Text("trial", "试算"),
    "run": Text("run", "运行中调整"),
}
# What a planned value is called in a config.yaml, where that is not its own name behind the name of a section.
KEYS = {
    **{"model": "model.name", "num_classes": "num_class", "augment": "augment.level", "epochs": "epoch"},
    **{"test_num_clips": "test.num_clips", "test_num_crops": "test.num_crops", "motion_probe": "test.probe"},
    **{"probe": "data.probe", "save_every_seconds": "train.save_every"},
}


def section(run: ReportedRun) -> Section | None:
    """The plan; None before there is one."""
    plan = run.plan
    if plan is None:
        return None
    told = Text(
        "Every value of the run: what was asked for, and what was decided from the data and the machine.",
        "本次运行的每个取值：哪些由你指定，哪些根据数据和机器自动决定。",
    )
    rows = [
        (_key(name), _value(decision.value), SOURCES.get(decision.source, decision.source), decision.why)
        for name, decision in plan.decisions().items()
    ]
    head = (Text("key", "键"), Text("value", "取值"), Text("from", "来源"), Text("why", "理由"))
    parts: list[Html] = [paragraph(told), in_english("理由和预计开销"), table(head, rows, max_rows=20)]
    if plan.estimates:
        lines = estimate_lines(plan.estimates, plan.device.value)
        summary = tag("summary", Text("What it was reckoned to take", "预计开销"))
        parts.append(tag("details", summary, tag("pre", *(join([line, Html("\n")]) for line in lines))))
    return Section("plan", TITLE, join(parts))


def _key(name: str) -> Html:
    """The name, and in Chinese what it is: its reason is English."""
    own = (key for key in HELP_ZH if key.rpartition(".")[2] == name)
    key = KEYS.get(name) or next(own, None)
    return join([tag("code", name), tag("div", HELP_ZH[key], lang="zh", class_="note") if key else ""])


def _value(value: Any) -> Cell:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else text
    if len(text) <= MAX_VALUE:
        return Cell(tag("span", text), number)
    return Cell(tag("span", f"{text[:28]}…{text[-28:]}", title=text), number)
