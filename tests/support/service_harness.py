"""The services for tenants with a stand-in Activepieces, without a Flask app."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Engine, select

from flask_activepieces import signals
from flask_activepieces.api_client import ActivepiecesClient, ConnectionPool, Retries, Timeout
from flask_activepieces.api_client.credentials import Credential
from flask_activepieces.api_client.resources.connection_values import SecretText
from flask_activepieces.api_client.resources.connections import Connection
from flask_activepieces.config.settings import Settings
from flask_activepieces.host.interface import Host, Permission, Principal, Workspace
from flask_activepieces.integrations.connections.saver import NewConnection
from flask_activepieces.integrations.credentials import CredentialStore
from flask_activepieces.integrations.services import TenantServices
from flask_activepieces.integrations.setup import SetupRequest
from flask_activepieces.integrations.store import Integration
from flask_activepieces.oauth.clients.service import OAuthClients
from flask_activepieces.oauth.grants import Grants
from flask_activepieces.storage import tables
from flask_activepieces.storage.audit import Audit, Event
from flask_activepieces.storage.database import Database
from flask_activepieces.testing import ActivepiecesServer

from .clock import StoppedClock
from .hosts import SCOPES, SECRET_KEY

#: A piece that accepts a secret if it begins with ``ok-``; see `acme`.
SECRET_PIECE = "@activepieces/piece-acme-secret"
#: The app's own piece, in these tests.
APP_PIECE = "@acme/piece-host"
ADMIN = "alice"
#: An integration of a whole tenant, without credentials.
WITHOUT_CREDENTIALS = Integration(
    id="an-integration",
    tenant_id="acme",
    organization_id=None,
    base_url=None,
    project_id="a-project",
    shares_project=False,
    encrypted_credentials=None,
    credential_hint=None,
    enabled=True,
    default_connection_id=None,
    default_connection_external_id=None,
    oauth_client_id=None,
    encrypted_client_secret=None,
    failed_connection_ids=(),
    revision=1,
    created_at=0,
    updated_at=0,
)
#: A pool that retries without waiting.
NO_BACKOFF = ConnectionPool(retries=Retries(sleep=lambda _: None))


class HarnessHost(Host):
    """Every user exists in every tenant."""

    def __init__(self) -> None:
        self.may_see_token = False
        self.page_url: str | None = None
        self.workspace_list: list[Workspace] = []
        #: What everyone may do; None: everything.
        self.permissions: tuple[Permission, ...] | None = None
        #: The ids of users that the app no longer has.
        self.removed: set[str] = set()

    def current_principal(self) -> Principal | None:
        return None

    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        return None if user_id in self.removed else Principal(user_id, tenant_id, user_id.title())

    def allows(self, principal: Principal, permission: Permission) -> bool:
        return self.permissions is None or permission in self.permissions

    def login_url(self, next_url: str) -> str:
        return "/login"

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        return self.workspace_list or [Workspace(principal.tenant_id, principal.tenant_id.title())]

    def version(self) -> str | None:
        return "2.1"

    def may_see_mcp_token(self, principal: Principal) -> bool:
        return self.may_see_token

    def reconnect_url(self, integration_id: str, connection_id: str) -> str | None:
        return self.page_url and f"{self.page_url}/{integration_id}/{connection_id}"


@dataclass
class ServiceHarness:
    """The services of one test, with its own tenant and projects."""

    engine: Engine
    upstream: ActivepiecesServer
    tenant: str
    clock: StoppedClock = field(default_factory=StoppedClock)
    host: HarnessHost = field(default_factory=HarnessHost)
    #: With None, waiting only advances the clock.
    sleep: Callable[[float], None] | None = None
    #: Settings that differ from the defaults, by field.
    setting_changes: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = replace(settings(self.upstream.url), **self.setting_changes)
        self.database = Database(self.engine)
        self.audit = Audit(sender=self)
        self.oauth_clients = OAuthClients(
            self.database, clock=self.clock, audit=self.audit, known_scopes=self.settings.scopes
        )
        self.grants = Grants(self.database, clock=self.clock, audit=self.audit)
        self.credential_store = CredentialStore(self.settings.secret_keys)
        self.services = TenantServices(
            self.settings,
            self.database,
            self.host,
            clock=self.clock,
            audit=self.audit,
            oauth_clients=self.oauth_clients,
            grants=self.grants,
            make_client=self._client,
            sleep=self.sleep or self.clock.advance,
        )
        for signal in signals.BY_NAME.values():
            signal.connect(self._note, sender=self)

    def _client(self, base_url: str, credential: Credential) -> ActivepiecesClient:
        seconds = self.settings.timeout
        timeout = Timeout(connect=seconds, read=seconds, total=seconds)
        return ActivepiecesClient(base_url, credential=credential, timeout=timeout, pool=NO_BACKOFF)

    def __hash__(self) -> int:
        return id(self)

    def _note(self, sender: object, event: Event) -> None:
        self.events.append(event)

    def with_settings(self, **changed: Any) -> ServiceHarness:
        """The same harness with other settings."""
        return replace(self, setting_changes=self.setting_changes | changed, events=[])

    @property
    def now(self) -> int:
        return int(self.clock())

    @property
    def event_names(self) -> list[str]:
        """The names of all events."""
        return [event.name for event in self.events]

    def platform_client(self) -> ActivepiecesClient:
        """An API client with the platform's key."""
        return ActivepiecesClient(self.upstream.url, self.upstream.api_key)

    def new_project(self, external_id: str | None = None) -> str:
        """Create a project; return its id."""
        return self.platform_client().projects.create("A project", external_id=external_id).id

    def set_up(self, **setup: Any) -> Integration:
        """Set up an integration, by default with the stand-in's key and a new project."""
        setup = {"tenant_id": self.tenant} | (setup or self.api_key_setup())
        return self.services.integrations.set_up(SetupRequest(**setup), user_id=ADMIN)

    def api_key_setup(self) -> dict[str, str]:
        """The setup of an integration with an API key."""
        return {"api_key": self.upstream.api_key, "project_id": self.new_project()}

    def user_token_setup(self) -> dict[str, str]:
        """The setup of an integration with a user token."""
        return {"user_token": self.upstream.user_token(), "project_id": self.new_project()}

    def with_app_key(self, **changed: Any) -> ServiceHarness:
        """A harness whose tenants can use the app's own key."""
        return self.with_settings(api_key=self.upstream.api_key, **changed)

    def save(self, integration: Integration, name: str = "Mine", value: str = "ok-mine", **more: Any) -> Connection:
        """Save a connection of the piece that takes a secret."""
        options = {"piece_name": SECRET_PIECE, "display_name": name} | more
        new = NewConnection(value=SecretText(secret_text=value), **options)
        return self.services.connections.save(integration, new, user_id=ADMIN)

    def reload(self, integration: Integration) -> Integration:
        """Read the integration from the database."""
        return self.find(integration.id, integration.tenant_id, integration.organization_id)

    def find(self, integration_id: str, tenant_id: str, organization_id: str | None = None) -> Integration:
        """Find the integration as a user of this tenant and organization."""
        principal = Principal(ADMIN, tenant_id, ADMIN.title(), organization_id)
        return self.services.integrations.find(integration_id, principal=principal)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of one of our tables."""
        statement = select(tables.metadata.tables[f"activepieces_{table}"])
        with self.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(statement)]


def settings(base_url: str) -> Settings:
    """The settings of an app that uses this Activepieces."""
    return Settings.from_app_config(
        {
            "SECRET_KEY": SECRET_KEY,
            "ACTIVEPIECES_BASE_URL": base_url,
            "ACTIVEPIECES_PIECE_NAME": APP_PIECE,
            "ACTIVEPIECES_PUBLIC_URL": "https://app.example.com",
            "ACTIVEPIECES_SCOPES": SCOPES,
        }
    )
