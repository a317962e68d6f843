"""Look at a file of weights without loading it, and without torch: is it whole, is it what it says?"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
import zlib
from pathlib import Path

# As PyTorch and OpenMMLab publish files: `name-<first digits of the sha256>.pth`.
DIGEST_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.[A-Za-z0-9]+$")
DATE = re.compile(r"(19|20)\d{6}")
CHUNK = 1 << 20
# What the library itself admits.
MAX_HEADER_BYTES = 100_000_000


def sha256_of(path: Path) -> str:
    """Digest of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def digest_in_name(name: str) -> str | None:
    """The digits that the sha256 of a file begins with, if its name carries them; a date is none."""
    found = DIGEST_IN_NAME.search(name)
    return found[1] if found and not DATE.fullmatch(found[1]) else None


def is_safetensors(start: bytes) -> bool:
    """Whether a file begins as one in the format of safetensors: the length of its header, and the header's JSON."""
    return len(start) > 8 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") < MAX_HEADER_BYTES


def damage(path: Path) -> str | None:
    """What keeps a file from being a checkpoint, as the end of a sentence that starts with the file; None if nothing.

    A file in torch's zip format (1.6 and later) is read to the end and every part compared with its
    checksum, which torch does not do: one flipped bit would be loaded without a word. Of an older
    file only the beginning can be judged, of one in the format of safetensors the length.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        return "is empty"
    if is_safetensors(start):
        return _damage_in_safetensors(path)
    if start.lstrip().startswith(b"<"):
        return "is a web page, not a checkpoint"
    if start.startswith(b"PK"):
        return _damage_in_zip(path)
    # Protocol 2 and later of pickle, which torch used before its zip format.
    return None if start.startswith(b"\x80") else "is not a PyTorch checkpoint"


def _damage_in_safetensors(path: Path) -> str | None:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        text = file.read(length)
    try:
        tensors = [entry for name, entry in json.loads(text).items() if name != "__metadata__"]
        expected = 8 + length + max((entry["data_offsets"][1] for entry in tensors), default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return "is damaged: its header cannot be read"
    found = path.stat().st_size
    return None if found == expected else f"is cut off or damaged: it has {found} bytes, and its header says {expected}"


def _damage_in_zip(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            part = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        return f"is cut off or damaged: {error}"
    if part is not None:
        return f"is damaged: the checksum of {part} does not match"
    if not any(name.endswith("/data.pkl") for name in names):
        return "is a zip archive, but not a PyTorch checkpoint"
    return None
