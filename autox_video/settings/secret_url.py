"""A URL that may hold a password or a token: it is shown by its beginning only."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, repr=False)
class SecretUrl:
    """A URL as it was written, of which `str` and `repr` show the schema only."""

    written: str

    def __repr__(self) -> str:
        return f"{self.written.partition('://')[0]}://..."

    __str__ = __repr__

    def missing(self) -> list[str]:
        """The environment variables that it names and that are not set."""
        return [name for name in dict.fromkeys(_VARIABLE.findall(self.written)) if not os.environ.get(name)]
