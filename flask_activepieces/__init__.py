"""flask-activepieces: any Flask app and Activepieces as one product."""

from . import signals
from .bearer import current_token, require_scope
from .errors import ActivepiecesError
from .extension import Activepieces
from .flask_login_host import FlaskLoginHost
from .host import Host, Principal, Workspace
from .state import get_state

__all__ = [
    "Activepieces",
    "ActivepiecesError",
    "FlaskLoginHost",
    "Host",
    "Principal",
    "Workspace",
    "current_token",
    "get_state",
    "require_scope",
    "signals",
]
