from __future__ import annotations

from pathlib import Path

import pytest

from autox_video.errors import RequestError
from autox_video.using.predict.inputs import find_inputs


def test_a_list_of_which_no_video_exists_is_refused_with_the_place_that_was_looked_at(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("a.mp4 0\nb.mp4 1\n")
    with pytest.raises(RequestError) as caught:
        find_inputs([str(listed)])
    assert str(caught.value) == (
        f"{listed}: names 2 videos, and none of them exists (got {tmp_path / 'a.mp4'}). "
        "Say with --data-root where its paths start."
    )


def test_a_list_may_name_some_videos_that_are_gone_and_urls(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    for text in ("a.mp4\nb.mp4\n", "a.mp4\nhttps://example.org/b.mp4\n"):
        listed.write_text(text)
        (tmp_path / "b.mp4").touch()
        assert len(find_inputs([str(listed)]).videos) == 2
