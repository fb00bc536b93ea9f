"""flask-activepieces: any Flask app and Activepieces as one product."""

from . import signals
from .errors import ActivepiecesError, InvalidInput
from .extension import Activepieces
from .host.flask_login import FlaskLoginHost
from .host.interface import Host, NavigationItem, Principal, Workspace
from .pieces import auth, fields
from .pieces.declarations import Piece
from .pieces.files import FileResult
from .state import get_state
from .web.bearer import check_scopes, current_token, require_scope

__all__ = [
    "Activepieces",
    "ActivepiecesError",
    "FileResult",
    "FlaskLoginHost",
    "Host",
    "InvalidInput",
    "NavigationItem",
    "Piece",
    "Principal",
    "Workspace",
    "auth",
    "check_scopes",
    "current_token",
    "fields",
    "get_state",
    "require_scope",
    "signals",
]
