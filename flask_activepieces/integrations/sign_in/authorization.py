"""The steps of an authorization at a third party, as the app sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...api_client.resources.connection_values import OAuth2Kind
from ...api_client.resources.connections import Connection


@dataclass(frozen=True, kw_only=True)
class AuthorizationStart:
    """What a user wants to authorize: a piece, or a connection that stopped working."""

    piece_name: str | None = None
    #: The connection to renew, instead of a piece.
    connection_id: str | None = None
    display_name: str | None = None
    external_id: str | None = None
    #: Which OAuth client to use: that of this app, of the platform, or of Activepieces.
    type: OAuth2Kind = "OAUTH2"
    #: The client id of the platform or of Activepieces; that of this app is configured.
    client_id: str | None = None
    #: What else the piece needs, such as the name of a workspace.
    props: Mapping[str, str] = field(default_factory=dict)
    #: Where the browser goes afterwards.
    next_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class AuthorizationPreview:
    """What the user sees before they go to the third party."""

    service: str
    #: The third party's address, without a path.
    site: str
    #: None if the connection has no name yet.
    connection_name: str | None
    external_id: str | None
    #: Whether an existing connection is renewed.
    is_renewal: bool


@dataclass(frozen=True, kw_only=True)
class AuthorizationRedirect:
    """Where to send the browser, and what its session must keep until it returns."""

    url: str = field(repr=False)
    nonce: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class AuthorizationResult:
    """The saved connection, and where the browser goes now."""

    connection: Connection
    next_url: str | None
