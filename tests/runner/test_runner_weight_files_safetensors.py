from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save

from autox_video.errors import RunError
from autox_video.runner.checkpoints import load_checkpoint_file
from autox_video.runner.weight_files import damage

GOOD = save({"weight": torch.arange(600.0)}, {"note": "x"})


def headed(header: bytes, rest: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + rest


SPOILT = {
    "is cut off or damaged: it has 2400 bytes, and its header says 2504": GOOD[:2400],
    "is cut off or damaged: it has 2505 bytes, and its header says 2504": GOOD + b"x",
    "is damaged: its header cannot be read": headed(b"{not json"),
}


@pytest.mark.parametrize("wrong", SPOILT)
def test_a_spoilt_file_is_refused_before_it_is_loaded(wrong, tmp_path):
    assert len(GOOD) == 2504, "the table above is about this file"
    path = tmp_path / "a.safetensors"
    path.write_bytes(SPOILT[wrong])
    assert damage(path) == wrong
    with pytest.raises(RunError) as caught:
        load_checkpoint_file(path)
    assert str(caught.value) == f"{path}: {wrong}. Restore the file or choose another."


@pytest.mark.parametrize("header", [b"{}" + b" " * 58, b'{"a": []}', b'{"a": {"data_offsets": 3}}', b"{" * 5000])
def test_any_header_has_an_answer(header, tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(headed(header))
    assert damage(path) == (None if header.startswith(b"{}") else "is damaged: its header cannot be read")


def test_what_only_the_library_finds_wrong_is_refused_too(tmp_path):
    header = json.dumps({"a": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}}).encode()
    path = tmp_path / "a.safetensors"
    path.write_bytes(headed(header, b"1234"))
    with pytest.raises(RunError, match=r"a\.safetensors: cannot be read as a checkpoint: .*F99.*Restore the file"):
        load_checkpoint_file(path)


def test_a_header_as_long_as_a_web_pages_first_letter_is_no_web_page(tmp_path):
    # 60 is the code of `<`.
    path = tmp_path / "a.safetensors"
    path.write_bytes(headed(b"{}" + b" " * 58))
    assert path.read_bytes()[:1] == b"<"
    assert load_checkpoint_file(path) == {"state_dict": {}}


def test_the_tensors_are_those_of_the_file(tmp_path):
    path = tmp_path / "a.pth"
    path.write_bytes(GOOD)
    assert torch.equal(load_checkpoint_file(path)["state_dict"]["weight"], torch.arange(600.0))
