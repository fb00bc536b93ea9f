"""``flask activepieces …``: what operators do at the command line."""

from .main import activepieces_cli

__all__ = ["activepieces_cli"]
