"""What every rule needs: a user's own value goes first."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from autox_video.plan.schema import Decision
from autox_video.settings.schema import AUTO, Settings


def asked(settings: Settings, key: str) -> Decision[Any] | None:
    """The user's value of a dotted key as a decision, or None when it is left to us."""
    value = attrgetter(key)(settings)
    if isinstance(value, str) and value == AUTO:
        return None
    if key not in settings.origins:
        return Decision(value, "default", "not set")
    return Decision(value, settings.origins[key], "as asked")


def given(settings: Settings, key: str) -> Decision[Any]:
    """The value of a key that has a default."""
    decision = asked(settings, key)
    assert decision is not None, f"{key} has a default"
    return decision


def round_to_multiple(value: float, multiple: int) -> int:
    """The nearest multiple, at least one."""
    return max(1, round(value / multiple)) * multiple
