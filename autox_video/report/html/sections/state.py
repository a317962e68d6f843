"""How far a training is that is being watched."""

from __future__ import annotations

from datetime import timedelta

from autox_video.report.html.markup import Html, join, paragraph, tag
from autox_video.report.html.names import name_of, shown
from autox_video.report.html.parts import Course, ReportedRun, Section, State, Text

ORDER = 0
TITLE = Text("How far it is", "训练进度")


def section(run: ReportedRun) -> Section | None:
    """The progress; None on a page that is no live one."""
    state = run.state
    if state is None:
        return None
    if not run.courses:
        text = Text("No epoch is done yet.", "尚未完成任何一轮。") if state.running else _idle(run)
        return Section("state", TITLE, paragraph(text))
    return Section("state", TITLE, join(_course(course, state) for course in run.courses))


def _idle(run: ReportedRun) -> Text:
    if run.plan is None:
        return Text(
            "There is no run here yet: this page shows it when one begins.", "这里还没有训练；开始后会自动显示。"
        )
    return Text("A run was planned here, and none is training now.", "已有训练方案，但当前没有在训练。")


def _course(course: Course, state: State) -> Html:
    rows = course.rows
    done = int(rows[-1].get("epoch", len(rows)))
    total = max(state.epochs or done, done)
    told = Text(f"epoch {done} of {total}", f"第 {done} / {total} 轮")
    bar = tag("div", tag("i", style=f"left:0;width:{100 * done / total:.1f}%"), class_="bar large", aria_hidden="true")
    parts = [paragraph(course.name, " " if course.name else "", tag("b", told), _rest(course, state, done, total)), bar]
    # An epoch may be without a validation, the last one too.
    figures = (name for row in rows for name in row if name.startswith("val_") and name != "val_loss")
    column = next(figures, None)
    if column is not None:
        best = max((row for row in rows if column in row), key=lambda row: row[column])
        figure, epoch = column.removeprefix("val_"), int(best["epoch"])
        parts.append(
            paragraph(
                Text("Best so far on validation: ", "目前验证集最佳："),
                name_of(figure),
                f" {shown(figure, best[column])}",
                Text(f", after epoch {epoch}.", f"，第 {epoch} 轮。"),
            )
        )
    return join(parts)


def _rest(course: Course, state: State, done: int, total: int) -> Text:
    seconds = sum(row.get("seconds", 0.0) for row in course.rows) / len(course.rows)
    if done >= total:
        return Text(", finished", "，已完成")
    if not state.running:
        return Text(", not running: the same command goes on from there", "，未在运行：再次执行同一命令即可继续")
    left = timedelta(seconds=round((total - done) * seconds))
    return Text(f", about {left} left", f"，大约还需 {left}")
