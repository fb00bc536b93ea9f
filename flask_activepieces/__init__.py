"""flask-activepieces: any Flask app and Activepieces as one product."""

from . import signals
from .errors import ActivepiecesError
from .extension import Activepieces
from .host.flask_login import FlaskLoginHost
from .host.interface import Host, Principal, Workspace
from .pieces import auth, fields
from .pieces.declarations import Piece
from .state import get_state
from .web.bearer import current_token, require_scope

__all__ = [
    "Activepieces",
    "ActivepiecesError",
    "FlaskLoginHost",
    "Host",
    "Piece",
    "Principal",
    "Workspace",
    "auth",
    "current_token",
    "fields",
    "get_state",
    "require_scope",
    "signals",
]
