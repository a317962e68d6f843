"""What stands in folders, asked for once a file by lists of a million lines."""

from __future__ import annotations

import os

from autox_video.dataset.video_files import is_file

# A folder that is asked about more often than this is read whole, which costs a fifth of asking for each of its files.
MAX_ASKED_ALONE = 16


class Folders:
    """Answers about files from few looks at the disk.

    It is for one step of reading: what appears later in a folder that was read is still found, what disappears is not
    missed.
    """

    def __init__(self) -> None:
        self._asked: dict[str, int] = {}
        self._files: dict[str, frozenset[str]] = {}
        self._real: dict[str, str] = {}

    def is_file(self, path: str) -> bool:
        """Whether something that is not a folder stands under this path."""
        return self.is_regular(path) or is_file(path)

    def is_regular(self, path: str) -> bool:
        """Whether this is a regular file and no link, as far as its folder was read."""
        folder, _, name = path.rpartition(os.sep)
        files = self._files.get(folder)
        return name in (self._read(folder) if files is None else files)

    def real(self, path: str) -> str:
        """The absolute path without symbolic links.

        Args:
            path: An absolute path.
        """
        folder, _, name = path.rpartition(os.sep)
        if name in ("", ".", ".."):
            return os.path.realpath(path)
        real = self._real.get(folder)
        if real is None:
            real = self._real[folder] = os.path.realpath(folder or os.sep)
        # A file of a million is written once in memory where its path is the real one already.
        real_path = path if real == folder else os.path.join(real, name)
        return real_path if self.is_regular(path) or not os.path.islink(real_path) else os.path.realpath(real_path)

    def _read(self, folder: str) -> frozenset[str]:
        """The names of regular files in a folder; none as long as it was hardly asked about, or cannot be read."""
        self._asked[folder] = self._asked.get(folder, 0) + 1
        if self._asked[folder] <= MAX_ASKED_ALONE:
            return frozenset()
        try:
            with os.scandir(folder or os.sep) as items:
                names = frozenset(item.name for item in items if item.is_file(follow_symlinks=False))
        except (OSError, ValueError):
            names = frozenset()
        self._files[folder] = names
        return names
