"""Which network, and what it starts from."""

from __future__ import annotations

import os
from urllib.parse import urlparse

from autox_video.dataset.facts import SplitFacts
from autox_video.errors import Problem, RequestError
from autox_video.plan.rules.auto_model import choose_level, pick
from autox_video.plan.rules.common import asked
from autox_video.plan.schema import Decision, Hardware, Plan
from autox_video.presets import Preset, load_preset
from autox_video.settings.schema import AUTO, Settings


def choose_model(settings: Settings, train: SplitFacts, hardware: Hardware, begun: Plan | None = None) -> Decision[str]:
    """The preset: the user's, else that of the run which goes on, else what suits the data and the machine.

    Args:
        settings: What the user asked.
        train: The training videos.
        hardware: The machine.
        begun: The plan of the run that goes on, if one does.

    Raises:
        RequestError: There is no preset of the name the user gave.
    """
    level = choose_level(settings)
    if decision := asked(settings, "model.name"):
        # It words the error with its did-you-mean; asking early keeps one text for one mistake.
        load_preset(decision.value)
        if "preset" not in settings.origins or settings.preset == AUTO:
            return decision
        why = f"as asked; preset: {level.value} is ignored, since it chooses only where no model is named"
        return Decision(decision.value, decision.source, why)
    if begun is not None and begun.preset.value == level.value:
        return begun.model
    return pick(settings, train, hardware)


def choose_load_from(settings: Settings, preset: Preset) -> Decision[str]:
    """A URL, an absolute path, or `none`.

    Raises:
        RequestError: The value is neither a path, a URL nor the name of weights on the preset's card.
    """
    value, card = settings.model.load_from, preset.card
    source = settings.origins.get("model.load_from", "preset")
    if value == AUTO:
        if card.default_weights is None:
            return Decision("none", "preset", f"{preset.name} has no pretrained weights: it trains from scratch")
        weights = card.weights[card.default_weights]
        return Decision(weights.url, source, f"pretrained on {weights.trained_on}")
    if value == "none":
        return Decision("none", source, "as asked: trains from scratch, without pretrained weights")
    if value in card.weights:
        return Decision(card.weights[value].url, source, f"as asked: pretrained on {card.weights[value].trained_on}")
    if urlparse(value).scheme in ("http", "https") or os.path.isabs(value):
        return Decision(value, source, "as asked")
    names = ", ".join(card.weights) or "it has none"
    raise RequestError(
        Problem(
            f"{source}: model.load_from",
            f"is neither auto, none, a path, a URL nor weights that {preset.name} knows",
            f"Its weights are: {names}",
            repr(value),
        )
    )
