"""Colours, style sheet and icons of the window."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

from PySide6.QtGui import QColor, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

from zipmap_app.resource_paths import resource_path, resource_text


@dataclass(frozen=True, slots=True)
class Palette:
    """The dark theme; every name can be used as ``@name`` in the style sheet."""

    base: str = "#15181c"  # the viewport's colour too: panels and scene are one surface
    surface: str = "#1b1f25"
    raised: str = "#252a32"
    line: str = "#2c323b"
    edge: str = "#444d5a"
    text: str = "#e4e8ee"
    dim: str = "#9aa5b4"
    faint: str = "#596372"
    accent: str = "#3d9bf0"
    accent_bright: str = "#62b3ff"
    accent_deep: str = "#1d3550"
    accent_line: str = "#2f6299"
    on_accent: str = "#08131f"
    query: str = "#ff7fb4"  # what the model was asked, never what it saw
    query_deep: str = "#3a2130"
    query_line: str = "#7d4160"
    good: str = "#4df29e"
    warning: str = "#f5b84b"
    error: str = "#f26d6d"
    welcome: str = "rgba(27, 31, 37, 235)"
    zone: str = "rgba(21, 24, 28, 150)"


PALETTE = Palette()
_ICON_COLOR = "#c9d1dc"  # as written in the icon files


def style_sheet(palette: Palette = PALETTE) -> str:
    """The bundled style sheet with the palette's colours filled in."""
    text = resource_text("themes", "dark.qss")
    # Longest names first, or @accent would eat the start of @accent_deep.
    for field in sorted(fields(palette), key=lambda field: -len(field.name)):
        text = text.replace(f"@{field.name}", getattr(palette, field.name))
    return text.replace("@icons", resource_path("icons").as_posix())


def apply_theme(application: QApplication) -> None:
    """Give the whole application the dark theme, native dialogs' fallbacks included."""
    application.setStyle("Fusion")
    colors = QPalette()
    for role, color in (
        (QPalette.ColorRole.Window, PALETTE.base),
        (QPalette.ColorRole.WindowText, PALETTE.text),
        (QPalette.ColorRole.Base, PALETTE.surface),
        (QPalette.ColorRole.AlternateBase, PALETTE.raised),
        (QPalette.ColorRole.Text, PALETTE.text),
        (QPalette.ColorRole.Button, PALETTE.raised),
        (QPalette.ColorRole.ButtonText, PALETTE.text),
        (QPalette.ColorRole.ToolTipBase, PALETTE.raised),
        (QPalette.ColorRole.ToolTipText, PALETTE.text),
        (QPalette.ColorRole.PlaceholderText, PALETTE.faint),
        (QPalette.ColorRole.Highlight, PALETTE.accent),
        (QPalette.ColorRole.HighlightedText, PALETTE.on_accent),
    ):
        colors.setColor(role, QColor(color))
    application.setPalette(colors)
    application.setStyleSheet(style_sheet())


@cache
def icon(name: str, color: str = _ICON_COLOR) -> QIcon:
    """A bundled line icon by file name without its suffix, faint when disabled."""
    result = QIcon()
    for mode, tint in ((QIcon.Mode.Normal, color), (QIcon.Mode.Disabled, PALETTE.faint)):
        result.addPixmap(_tinted_pixmap(name, tint), mode)
    return result


def _tinted_pixmap(name: str, color: str) -> QPixmap:
    svg = resource_text("icons", f"{name}.svg").replace(_ICON_COLOR, color)
    # Drawn at three times the size it is shown at, for screens of high density.
    svg = svg.replace('width="24" height="24"', 'width="72" height="72"', 1)
    pixmap = QPixmap()
    pixmap.loadFromData(svg.encode(), "SVG")
    return pixmap
