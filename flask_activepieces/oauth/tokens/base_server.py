"""What the grants and endpoints share: the request, and Authlib's server with our clients and storage."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidRequestError, OAuth2Request, UnauthorizedClientError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from sqlalchemy import and_, bindparam, select

from ...clock import CLOCK_SKEW
from ...crypto.keyring import looks_like_id
from ...errors import ClientDisabled
from ...storage import tables
from ...storage.audit import Audit
from ...storage.database import Database
from ...storage.single_flight import claim_once
from ..clients import assertions, authentication
from ..clients.client import DOCUMENT, OAuthClient, client_from_row, stored_client_id
from ..documents.service import DocumentClients
from ..resources import InvalidTarget, Resources
from . import families
from .families import Family, TokenFamilies
from .issuer import TokenIssuer


class ClientRequest(OAuth2Request):
    """The request as Authlib needs it, with the resources of this app, and the time when it came."""

    def __init__(
        self,
        *,
        uri: str,
        token_endpoint: str,
        form: Mapping[str, str],
        authorization: str | None,
        resources: Resources,
        now: int,
    ) -> None:
        super().__init__("POST", uri)
        self._form = dict(form)
        self.payload = BasicOAuth2Payload(self._form)
        self.authorization = authorization
        self.token_endpoint = token_endpoint
        self.resources = resources
        self.now = now

    @property
    def issuer(self) -> str:
        """The issuer at which the request arrived."""
        return self.resources.issuer

    @property
    def form(self) -> dict[str, str]:
        """The parameters."""
        return self._form


def reject_duplicates(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """RFC 6749 §3.1, §3.2: a parameter must not be repeated, and one without a value counts as absent."""
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name == "resource" and name in parameters:
            # RFC 8707 §2 allows several. Here a token is for one.
            raise InvalidTarget("Request one resource at a time.")
        if name in parameters:
            raise InvalidRequestError("Duplicate request parameter.")
        parameters[name] = value
    return {name: value for name, value in parameters.items() if value != ""}


class BaseServer(AuthorizationServer):
    """Authenticates clients, and has what grants and endpoints work with."""

    def __init__(
        self, database: Database, token_issuer: TokenIssuer, *, audit: Audit, document_clients: DocumentClients
    ) -> None:
        super().__init__()
        self.database = database
        self.document_clients = document_clients
        self.token_issuer = token_issuer
        self.audit = audit
        self.families = TokenFamilies(database, audit=audit)

    def authenticate(
        self,
        request: ClientRequest,
        methods: Collection[str],
        *,
        grant_type: str | None = None,
        family_id: str | None = None,
    ) -> tuple[OAuthClient, Family | None]:
        """The client whose credentials are in the request and, from the same query, its family with this id.

        `InvalidClient` unless the credentials are valid. If it asks for tokens, it must be registered for the grant
        type, and not be suspended.
        """
        credentials = authentication.read_credentials(request.form, request.authorization)
        client, family = self._find(credentials.client_id, family_id)
        if credentials.assertion is not None:
            client = self._authenticate_with_key(credentials.assertion, client, request)
        else:
            client = authentication.authenticate(credentials, client)
        if credentials.method not in methods:
            raise authentication.invalid_client(
                "This endpoint requires a confidential client.", by_header=credentials.by_header
            )
        if grant_type is not None and client.disabled_at is not None:
            # Not invalid_grant, for which Activepieces marks a connection as permanently broken.
            raise ClientDisabled
        if grant_type is not None and grant_type not in client.grant_types:
            raise UnauthorizedClientError(f"The client is not authorized to use 'grant_type={grant_type}'")
        return client, family

    def _authenticate_with_key(
        self, assertion: str, client: OAuthClient | None, request: ClientRequest
    ) -> OAuthClient:
        """RFC 7523 §3. The assertion works once, so anyone who reads it in a log cannot use it again."""
        if client is None or client.jwks is None:
            raise authentication.invalid_client("Unknown client, or one without keys.", by_header=False)
        kid, _ = assertions.read_unverified(assertion)
        client = self.document_clients.with_current_keys(client, kid=kid)
        try:
            verified = assertions.verify_assertion(
                assertion,
                assertions.PublicKeys.from_json(client.jwks or '{"keys": []}'),
                client_id=client.identifier,
                audiences=(request.issuer, request.token_endpoint),
                now=request.now,
            )
        except assertions.InvalidAssertion as error:
            raise authentication.invalid_client(str(error), by_header=False) from None
        expires_at = verified.expires_at + CLOCK_SKEW
        if not claim_once(self.database, "client assertion", client.client_id, verified.jti, expires_at=expires_at):
            raise authentication.invalid_client("The client_assertion was used before.", by_header=False)
        return client

    def _find(self, identifier: str, family_id: str | None) -> tuple[OAuthClient | None, Family | None]:
        client_id = stored_client_id(identifier)
        if not looks_like_id(client_id):
            return None, None
        statement = _CLIENT if family_id is None else _CLIENT_AND_FAMILY
        ids = {"wanted_client": client_id, "wanted_family": family_id}
        row = self.database.read(lambda conn: conn.execute(statement, ids).one_or_none())
        if row is None:
            return None, None
        values = row._asdict()
        client = client_from_row(values)
        is_off = client.source == DOCUMENT and not self.document_clients.is_on()
        if client.identifier != identifier or is_off:
            return None, None
        family = {name: values.get(f"family_{name}") for name in families.FIELDS}
        return (client, families.family_from_row(family) if family["id"] is not None else None)


_clients = tables.oauth_clients
_CLIENT = select(_clients).where(_clients.c.client_id == bindparam("wanted_client"))
#: The family only if it is this client's.
_CLIENT_AND_FAMILY = (
    _CLIENT.select_from(_clients)
    .add_columns(*(column.label(f"family_{column.name}") for column in families.COLUMNS))
    .outerjoin(
        families.table,
        and_(families.table.c.id == bindparam("wanted_family"), families.table.c.client_id == _clients.c.client_id),
    )
    .outerjoin(families.grants, families.GRANT_OF_FAMILY)
)
