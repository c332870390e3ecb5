"""Touchmark for Python inference: embeds marks with the keys and the choices of the TypeScript SDK."""

from .errors import TouchmarkError
from .generation import Generation
from .mark import Mark
from .marker import Marker
from .opened_marks import bind_opened_mark, load_marks

__all__ = ["Generation", "Mark", "Marker", "TouchmarkError", "bind_opened_mark", "load_marks"]
__version__ = "0.1.0"
