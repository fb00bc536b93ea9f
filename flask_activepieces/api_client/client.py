"""`ActivepiecesClient`: Activepieces' REST API, with an attribute for each kind of resource."""

from __future__ import annotations

from .capabilities import Edition
from .connection_pool import ConnectionPool
from .credentials import ApiKey, Credential
from .resources.agent_tools import AgentTools
from .resources.connections import Connections
from .resources.embedding import Embedding
from .resources.flow_runs import FlowRuns
from .resources.flows import Flows, Folders
from .resources.global_connections import GlobalConnections
from .resources.mcp import Mcp
from .resources.people import Members, Users
from .resources.pieces import Pieces
from .resources.projects import Projects
from .resources.server import Server
from .resources.templates import Templates
from .transport import Transport
from .wire import Timeout, api_root


class ActivepiecesClient:
    """The API client for one Activepieces server with one credential, for any number of threads.

    Pass an ``api_key`` or another ``credential``. Clients may share a ``pool``, also across servers and credentials.
    With an ``edition``, calls that this edition lacks are refused before they are sent.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        credential: Credential | None = None,
        timeout: Timeout | None = None,
        edition: Edition | None = None,
        pool: ConnectionPool | None = None,
    ) -> None:
        if (api_key is None) == (credential is None):
            raise ValueError("pass either api_key or credential")
        transport = Transport(
            root=api_root(base_url),
            credential=credential or ApiKey(api_key or ""),
            pool=pool or ConnectionPool(),
            timeout=timeout or Timeout(),
            edition=edition,
        )
        self.transport = transport
        self.connections = Connections(transport)
        self.global_connections = GlobalConnections(transport)
        self.projects = Projects(transport)
        self.members = Members(transport)
        self.users = Users(transport)
        self.flows = Flows(transport)
        self.flow_runs = FlowRuns(transport)
        self.folders = Folders(transport)
        self.pieces = Pieces(transport)
        self.templates = Templates(transport)
        self.mcp = Mcp(transport)
        self.agent_tools = AgentTools(transport)
        self.embedding = Embedding(transport)
        self.server = Server(transport)

    def __repr__(self) -> str:
        return f"<ActivepiecesClient of {self.transport.root}, {self.transport.credential.kind}>"
