"""What of an address is shown and kept."""

from __future__ import annotations

import pytest

from zipmap_app.state.addresses import kept_url, shown_url


@pytest.mark.parametrize(
    "url",
    ["rtsp://user:secret@host:554/a?x=1", "rtsp://user:sec@ret@host:554/a?x=1", "rtsp://host:554/a?x=1"],
)
def test_the_login_goes(url):
    assert shown_url(url) == kept_url(url) == "rtsp://host:554/a?x=1"


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://user:sec/ret@host/a",
        "rtsp://user:sec?ret@host/a",
        "http://host/video.cgi?user=admin&pwd=1234",
        "rtsp://host/user=admin_password=1234_channel=1",
    ],
)
def test_what_may_hold_a_secret_elsewhere_is_not_kept(url):
    assert kept_url(url) is None
