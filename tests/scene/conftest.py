"""Scene tests draw: contexts are shared as in the application, which has to be said before Qt starts."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
