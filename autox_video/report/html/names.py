"""What the figures are called on the page, and what they mean."""

from __future__ import annotations

from autox_video.report.html.parts import Text

FIGURES: dict[str, tuple[Text, Text]] = {
    "top1": (
        Text("top-1 accuracy", "Top-1 准确率"),
        Text("videos whose first guess is right", "第一个猜测正确的视频所占比例"),
    ),
    "top5": (
        Text("top-5 accuracy", "Top-5 准确率"),
        Text("videos whose class is among the best five guesses", "正确类别位于前五个猜测之中的视频所占比例"),
    ),
    "mean_class_accuracy": (
        Text("mean class accuracy", "平均类别准确率"),
        Text("the same share, each class counting alike", "各类别准确率的平均值，每个类别权重相同"),
    ),
    "loss": (
        Text("log loss", "对数损失"),
        Text("how far off the probabilities are; 0 is best", "概率偏离真实标签的程度；0 为最佳"),
    ),
    "mean_average_precision": (
        Text("mean average precision", "平均精度均值 (mAP)"),
        Text("how well each label's videos are ranked first", "每个标签的视频排在前面的程度"),
    ),
    "mean_f1": (
        Text("mean F1", "平均 F1"),
        Text("precision and recall of each label in one number", "每个标签的精确率与召回率的综合"),
    ),
    "exact_match": (
        Text("exact match", "完全匹配"),
        Text("videos given all their labels and no other", "标签完全正确的视频所占比例"),
    ),
}
# A lower value is better, and it is no share.
LOSS = "loss"


def name_of(figure: str) -> Text:
    """The heading of a figure; its own name where it is not known here."""
    return FIGURES[figure][0] if figure in FIGURES else Text(figure, figure)


def shown(figure: str, value: float) -> str:
    """A value as it stands on a card: a share as percent."""
    return f"{value:.3f}" if figure == LOSS else f"{100 * value:.1f} %"
