"""What the user brings to a run: plugins, hooks, transforms, loggers."""

from __future__ import annotations

from typing import Any

from autox_video.dataset.messages import setting_place
from autox_video.errors import Problem, RequestError
from autox_video.plan.rules.common import given
from autox_video.plan.schema import Decision, Plan
from autox_video.settings.lists import plugin_name
from autox_video.settings.schema import Settings


def choose_own_code(settings: Settings) -> dict[str, Any]:
    """Plugins by the names they are imported by, and what is added to hooks, transforms and loggers."""
    asked = given(settings, "plugins")
    names = tuple(plugin_name(plugin) for plugin in asked.value)
    return {
        "plugins": Decision(names, asked.source, asked.why),
        "hooks": given(settings, "train.hooks"),
        "transforms": given(settings, "augment.transforms"),
        "loggers": given(settings, "loggers"),
    }


def refuse_unnamed_plugins(trained: Plan, settings: Settings) -> None:
    """See to it that the settings of today name the plugins of an earlier run: a checkpoint never has code imported.

    Raises:
        RequestError: One is not named.
    """
    named = {plugin_name(plugin) for plugin in settings.plugins}
    if missing := [plugin for plugin in trained.plugins.value if plugin not in named]:
        wrong = "must name the plugins that this run was trained with: a checkpoint has no code imported"
        cure = f"Write plugins: [{', '.join(missing)}], if you trust them"
        raise RequestError(Problem(setting_place(settings, "plugins"), wrong, cure, ", ".join(sorted(named)) or "none"))
