"""Results of either kind: by the task of the model that was tested."""

from __future__ import annotations

from autox_video.predictions import Predictions
from autox_video.report.multi_label import MultiLabelResults, make_multi_label_results, multi_label_lines
from autox_video.report.results import Results, make_results, summary_lines

AnyResults = Results | MultiLabelResults


def make_outcome(predictions: Predictions) -> AnyResults:
    """Turn scores into labels and figures.

    Raises:
        RunError: A score is not a finite number.
    """
    return make_multi_label_results(predictions) if predictions.task == "multi_label" else make_results(predictions)


def outcome_lines(results: AnyResults) -> list[str]:
    """The outcome in a few lines for the console."""
    return multi_label_lines(results) if isinstance(results, MultiLabelResults) else summary_lines(results)
