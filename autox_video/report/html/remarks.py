"""Rules that say in plain words what the figures mean. Each looks at a run and returns what it has to say of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autox_video.dataset.messages import plural
from autox_video.report.common import numbers
from autox_video.report.html.parts import ReportedRun, Text
from autox_video.report.intervals import recordings_of
from autox_video.report.multi_label import MultiLabelResults
from autox_video.report.results import Metrics, Results

GOOD, INFO, CAUTION, BAD = "good", "info", "caution", "bad"
# An interval wider than this leaves open whether the model is any good.
WIDE = 0.2
# A class with fewer videos than this is hardly learned, or its row in a table says little.
FEW_LEARNED, FEW_TESTED = 10, 5
# By so much of its least value the validation loss must have risen to be called overfitting.
OVERFIT_RISE = 1.1
# Training videos are always known a little better; beyond this the model has learned them by heart.
LARGE_GAP = 0.2
MAX_NAMED = 5


@dataclass(frozen=True)
class Remark:
    """One sentence or two.

    Attributes:
        level: `good`, `info`, `caution` or `bad`.
        text: What is to be said.
    """

    level: str
    text: Text


Rule = Callable[[ReportedRun], list[Remark]]


def against_guessing(run: ReportedRun) -> list[Remark]:
    """Whether the model does better than guessing, and than always saying the most frequent class."""
    results = run.results
    if not isinstance(results, Results) or results.metrics is None:
        return []
    metrics, classes = results.metrics, results.classes
    true = np.array(metrics.confusion_matrix).sum(axis=1)
    most = int(true.argmax())
    chance, majority = 1 / len(classes), float(true[most] / true.sum())
    span = run.intervals["top1"]
    en = (
        f"It is right on {_percent(metrics.top1)} of the test videos. Guessing would be right on {_percent(chance)}, "
        f"always saying “{classes[most]}” on {_percent(majority)}"
    )
    zh = (
        f"测试视频中有 {_percent(metrics.top1)} 判断正确。随机猜测为 {_percent(chance)}，总是回答“{classes[most]}”为"
        f" {_percent(majority)}"
    )
    baseline = max(chance, majority)
    if span.low > baseline:
        return [Remark(GOOD, Text(f"{en}: it has learned something.", f"{zh}：模型确实学到了东西。"))]
    if span.high < baseline:
        return [Remark(BAD, Text(f"{en}: it is worse than that.", f"{zh}：模型比这还差。"))]
    return [Remark(BAD, Text(f"{en}: it cannot be told from that.", f"{zh}：两者没有可分辨的差别。"))]


def against_frequency(run: ReportedRun) -> list[Remark]:
    """The same where a video has several labels: the mean average precision of a random order."""
    results = run.results
    if not isinstance(results, MultiLabelResults) or results.metrics is None:
        return []
    metrics = results.metrics
    videos = sum(video.correct is not None for video in results.videos)
    shares = [label.num_videos / videos for label in metrics.per_label if label.num_videos]
    chance, span = float(np.mean(shares)), run.intervals.get("mean_average_precision")
    learned = span is not None and span.low > chance
    en = f"Its mean average precision is {_percent(metrics.mean_average_precision)}; a random order would reach about"
    zh = f"平均精度均值为 {_percent(metrics.mean_average_precision)}；随机排序约为"
    told = (
        ("it has learned something", "模型确实学到了东西")
        if learned
        else ("it cannot be told from that", "两者没有可分辨的差别")
        if span
        else ("there is no interval to judge that by", "没有可据以判断的区间")
    )
    text = Text(f"{en} {_percent(chance)}: {told[0]}.", f"{zh} {_percent(chance)}：{told[1]}。")
    worst = sorted(
        (one for one in metrics.per_label if one.average_precision is not None),
        key=lambda one: one.average_precision or 0,
    )
    names = [one.label for one in worst[:3] if (one.average_precision or 0) < 1]
    hard = Text(f"The hardest labels: {_names(names)}.", f"最难的标签：{_names(names)}。")
    return [Remark(GOOD if learned else BAD if span else INFO, text), *([Remark(INFO, hard)] if names else [])]


def sureness(run: ReportedRun) -> list[Remark]:
    """Whether enough was tested."""
    results = run.results
    if results is None or results.metrics is None:
        return []
    name = next(iter(numbers(results.metrics)))
    span = run.intervals.get(name)
    tested = [video.file for video in results.videos if video.correct is not None]
    recordings = len(set(recordings_of(tested, run.groups)))
    en = plural(len(tested), "test video") + (
        f" of {plural(recordings, 'recording')}" if recordings < len(tested) else ""
    )
    zh = f"{len(tested)} 个测试视频" + (f"（{recordings} 次拍摄）" if recordings < len(tested) else "")
    if span is None:
        none = "give the same figure however they are drawn, which leaves open how sure it is."
        return [Remark(INFO, Text(f"{en} {none}", f"{zh}无论怎样抽样结果都相同，无法得知该指标有多可靠。"))]
    between = f"{_percent(span.low)} – {_percent(span.high)}"
    if span.high - span.low <= WIDE:
        text = Text(f"{en} say it to within {between}.", f"{zh}，指标范围为 {between}。")
        return [Remark(INFO, text)]
    more = Text(
        f"{en} are too few to be sure: the figure may as well lie anywhere in {between}. Four times as many recordings"
        " would halve that.",
        f"{zh}太少，无法确定：指标可能在 {between} 之间的任何位置。拍摄次数增加到四倍，该范围才会减半。",
    )
    return [Remark(CAUTION, more)]


def overfitting(run: ReportedRun) -> list[Remark]:
    """Whether training went on past its best, knows its videos by heart, or ended too early."""
    if len(run.courses) != 1:
        return []
    rows = run.courses[0].rows
    losses = [(row["val_loss"], row["epoch"]) for row in rows if "val_loss" in row]
    if len(losses) < 3:
        return []
    (least, epoch), (last, end) = min(losses), losses[-1]
    found = []
    fell = rows[-1].get("train_loss", 0.0) < next((r["train_loss"] for r in rows if r["epoch"] == epoch), 0.0)
    if last > OVERFIT_RISE * least and fell:
        en = f"It overfits: the validation loss was lowest after epoch {epoch:.0f} ({least:.3f}) and rose to {last:.3f}"
        zh = f"出现过拟合：验证损失在第 {epoch:.0f} 轮最低（{least:.3f}），之后升至 {last:.3f}"
        cure = "More videos, stronger augmentation or fewer epochs help; best.pth is of the best epoch."
        cure_zh = "更多视频、更强的数据增强或更少的轮次会有帮助；best.pth 取自最佳轮次。"
        found.append(
            Remark(
                CAUTION,
                Text(f"{en}, while that of training went on falling. {cure}", f"{zh}，而训练损失继续下降。{cure_zh}"),
            )
        )
    best = max((row for row in rows if "val_top1" in row), key=lambda row: row["val_top1"], default={})
    gap = best.get("train_top1", 0.0) - best.get("val_top1", 1.0)
    if gap > LARGE_GAP:
        shares = _percent(best["train_top1"]), _percent(best["val_top1"])
        text = Text(
            f"It knows its training videos much better than new ones ({shares[0]} against {shares[1]}): it has too few"
            " to learn from, or training and validation differ.",
            f"它对训练视频的判断远好于新视频（{shares[0]} 对 {shares[1]}）：训练视频太少，或训练与验证数据差异较大。",
        )
        found.append(Remark(CAUTION, text))
    planned = run.plan.epochs.value if run.plan else end
    improving = len(losses) >= 5 and epoch == end and losses[-3][0] > 1.02 * least
    if not found and improving and end >= planned:
        text = Text(
            "The validation loss was still falling when training ended: more epochs may help.",
            "训练结束时验证损失仍在下降：增加轮次可能有帮助。",
        )
        found.append(Remark(INFO, text))
    if not found and end >= planned:
        found.append(
            Remark(
                GOOD,
                Text(
                    "No sign of overfitting: the validation loss did not rise again.",
                    "没有过拟合迹象：验证损失没有回升。",
                ),
            )
        )
    return found


def few_videos(run: ReportedRun) -> list[Remark]:
    """Classes with few videos to learn from, or to be tested on."""
    found = []
    splits = run.fingerprint.splits if run.fingerprint else {}
    if "train" in splits:
        few = [name for name, count in splits["train"].class_counts.items() if count < FEW_LEARNED]
        if few:
            text = Text(
                f"Fewer than {FEW_LEARNED} training videos in {_of(few, run)}: {_names(few)}. More of them help most.",
                f"{_of_zh(few, run)}的训练视频少于 {FEW_LEARNED} 个：{_names(few)}。增加这些视频收效最大。",
            )
            found.append(Remark(CAUTION, text))
    metrics = run.results.metrics if run.results else None
    if metrics is not None:
        rows = metrics.per_class if isinstance(metrics, Metrics) else metrics.per_label
        few = [one.label for one in rows if one.num_videos < FEW_TESTED]
        if few:
            text = Text(
                f"Fewer than {FEW_TESTED} test videos in {_of(few, run)}: figures of each say little ({_names(few)}).",
                f"{_of_zh(few, run)}的测试视频少于 {FEW_TESTED} 个，其单项数字参考价值有限（{_names(few)}）。",
            )
            found.append(Remark(CAUTION, text))
    return found


def confusions(run: ReportedRun) -> list[Remark]:
    """The pairs of classes that most mistakes are between, and classes that are never found."""
    metrics = run.results.metrics if run.results else None
    if not isinstance(metrics, Metrics):
        return []
    counts = np.array(metrics.confusion_matrix)
    names = [one.label for one in metrics.per_class]
    off = counts - np.diag(np.diag(counts))
    wrong = int(off.sum())
    found = []
    if wrong:
        both = np.triu(off + off.T)
        order = np.argsort(-both, axis=None, kind="stable")[:3]
        places = zip(*np.unravel_index(order, both.shape), strict=True)
        pairs = [(names[a], names[b], int(both[a, b])) for a, b in places]
        pairs = [pair for pair in pairs if pair[2] >= max(2, 0.1 * wrong)]
        if pairs:
            told = ", ".join(f"{n} are between “{a}” and “{b}”" for a, b, n in pairs)
            told_zh = "，".join(f"“{a}”与“{b}”之间 {n} 个" for a, b, n in pairs)
            text = Text(f"Of its {plural(wrong, 'mistake')}, {told}.", f"共 {wrong} 个错误，其中{told_zh}。")
            found.append(Remark(INFO, text))
    missed = [one.label for one in metrics.per_class if one.accuracy == 0]
    if missed:
        text = Text(f"Never recognised: {_names(missed)}.", f"从未被识别出的类别：{_names(missed)}。")
        found.append(Remark(BAD, text))
    return found


def leaks(run: ReportedRun) -> list[Remark]:
    """Test videos that training has seen."""
    if run.results is None:
        return []
    count = sum(video.leak is not None for video in run.results.videos)
    if not count:
        return []
    new = run.results.metrics_without_leaks
    stand = "also stands" if count == 1 else "also stand"
    en = f"{plural(count, 'test video')} {stand} in train or val, which makes the figures too good"
    zh = f"{count} 个测试视频也出现在训练或验证集中，使指标偏高"
    if new is None:
        return [Remark(BAD, Text(f"{en}.", f"{zh}。"))]
    value = next(iter(numbers(new).values()))
    return [Remark(BAD, Text(f"{en}: without them it is {_percent(value)}.", f"{zh}：去除后为 {_percent(value)}。"))]


def unreadable(run: ReportedRun) -> list[Remark]:
    """Test videos that could not be scored."""
    count = run.results.counts.unreadable if run.results else 0
    if not count:
        return []
    text = Text(
        f"{plural(count, 'test video')} could not be read and count nowhere.", f"{count} 个测试视频无法读取，未计入。"
    )
    return [Remark(CAUTION, text)]


# In the order of the page.
RULES: Sequence[Rule] = (
    *(against_guessing, against_frequency, sureness, overfitting, few_videos, confusions, leaks, unreadable),
)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:MAX_NAMED])
    return shown if len(names) <= MAX_NAMED else f"{shown} … ({len(names)})"


def _of(few: Sequence[str], run: ReportedRun) -> str:
    return f"{len(few)} of {plural(len(run.classes), 'class')}"


def _of_zh(few: Sequence[str], run: ReportedRun) -> str:
    return f"{len(run.classes)} 个类别中有 {len(few)} 个"
