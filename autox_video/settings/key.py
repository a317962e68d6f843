"""What the description of one setting is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

AUTO: Final = "auto"
Auto = Literal["auto"]
# A regular expression for a `duration`.
DURATION: Final = r"[1-9][0-9]{0,5}(s|min|h)"


@dataclass(frozen=True)
class Key:
    """What a value must look like and what it means.

    Attributes:
        kind: `int`, `float`, `bool`, `str`, `path` (made absolute against the YAML's folder),
            `weights` (a word, a URL, or a path that is made absolute), `classes` (a list of names,
            or a path to a file of them), `sources` (a list of data sets), `mapping`, `duration` (`90s`,
            `10min`, `2h`; held in seconds, and `none` as None), `views` (clips x crops: `4x3`), `words` (one
            choice or a list), `plugins` (modules or files of Python), `parts` (a list of mappings with a `type`
            each), `urls` (which may hold secrets).
        help: One or two sentences for the README, the editor and the error messages.
        default: What a key that is left out means.
        required: Whether there is no default.
        none: Whether `none` is allowed.
        minimum: Smallest allowed number, inclusive.
        maximum: Largest allowed number, inclusive.
        above: The number must be larger than this.
        multiple_of: The number must be a multiple of this.
        choices: The only values allowed.
        endings: The only endings a path may have.
        example: A value for the documentation.
    """

    kind: str
    help: str
    default: Any = None
    required: bool = False
    none: bool = False
    minimum: int | float | None = None
    maximum: int | float | None = None
    above: int | float | None = None
    multiple_of: int | None = None
    choices: tuple[str, ...] | tuple[int, ...] = ()
    endings: tuple[str, ...] = ()
    example: Any = None

    @property
    def auto(self) -> bool:
        """Whether the value is chosen from the data and the hardware unless it is given."""
        return isinstance(self.default, str) and self.default == AUTO


def setting(default: Any, kind: str, help: str, **rest: Any) -> Any:
    """A dataclass field that carries its `Key`."""
    metadata = {"key": Key(kind, help, default, **rest)}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)
