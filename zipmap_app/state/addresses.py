"""Addresses of streams, which may carry a login."""

from __future__ import annotations

import re

_SECRET_WORDS = re.compile(r"passw|pwd|token|secret", re.IGNORECASE)


def shown_url(url: str) -> str:
    """An address without user name and password."""
    return re.sub(r"//[^/?#]*@", "//", url)


def kept_url(url: str) -> str | None:
    """An address as it may be written to disk, or None for one that cannot be freed of its secrets for sure."""
    shown = shown_url(url)
    # A password may hold a slash, and some cameras take it in the path or as a parameter.
    return None if "@" in shown or _SECRET_WORDS.search(shown) else shown
