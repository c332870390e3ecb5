"""The one error type of the package."""


class TouchmarkError(ValueError):
    """One sentence that says what was wrong, where, and what to do. Never holds a secret."""
