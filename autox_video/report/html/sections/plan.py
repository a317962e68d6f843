"""The plan: every value of the run, where it comes from and why."""

from __future__ import annotations

from autox_video.plan.estimates import estimate_lines
from autox_video.plan.schema import in_words
from autox_video.report.html.markup import Html, join, paragraph, table, tag
from autox_video.report.html.parts import ReportedRun, Section, Text

ORDER = 120
TITLE = Text("The plan and its reasons", "训练方案及其理由")
MAX_VALUE = 60


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
        (tag("code", name), _value(decision.value), decision.source, decision.why)
        for name, decision in plan.decisions().items()
    ]
    head = (Text("key", "键"), Text("value", "取值"), Text("from", "来源"), Text("why", "理由"))
    parts: list[Html] = [paragraph(told), table(head, rows, max_rows=20)]
    if plan.estimates:
        lines = estimate_lines(plan.estimates, plan.device.value)
        summary = tag("summary", Text("What it was reckoned to take", "预计开销"))
        parts.append(tag("details", summary, tag("pre", *(join([line, Html("\n")]) for line in lines))))
    return Section("plan", TITLE, join(parts))


def _value(value: object) -> Html:
    text = in_words(value)
    return tag("span", text) if len(text) <= MAX_VALUE else tag("span", f"{text[:28]}…{text[-28:]}", title=text)
