from __future__ import annotations

import sys

import pytest

from autox_video.runner.compat import missing_drn


def test_the_missing_package_can_be_imported_and_says_so_when_built():
    missing_drn.apply()
    from mmaction.models.localizers.drn.drn import DRN

    with pytest.raises(NotImplementedError) as caught:
        DRN(vocab_size=10)
    assert str(caught.value) == "MMAction2's wheel lacks DRN: install MMAction2 from its source to use it"


def test_applying_again_changes_nothing():
    missing_drn.apply()
    package = sys.modules[missing_drn.PACKAGE]
    missing_drn.apply()
    assert sys.modules[missing_drn.PACKAGE] is package


def test_a_whole_mmaction2_is_left_alone(tmp_path, monkeypatch):
    file = tmp_path / "mmaction" / "models" / "localizers" / "drn" / "drn.py"
    file.parent.mkdir(parents=True)
    file.touch()
    (tmp_path / "mmaction" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mmaction", raising=False)
    assert not missing_drn.needed()
