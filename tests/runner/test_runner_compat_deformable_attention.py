from __future__ import annotations

import warnings

import pytest

from autox_video.runner.compat import deformable_attention


def test_the_warning_is_ignored_and_no_other():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        deformable_attention.apply()
        warnings.warn(f"{deformable_attention.MESSAGE} from ``mmcv.ops``, You should install ``mmcv``", stacklevel=1)
        with pytest.raises(UserWarning, match="something else"):
            warnings.warn("something else", stacklevel=1)
