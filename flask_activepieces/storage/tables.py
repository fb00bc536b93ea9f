"""Our tables. `extension` copies them into the host's metadata, for ``create_all`` and for migrations.

No table refers to a host table: users, tenants and organizations are opaque strings. Ids compare byte by byte on
every database (MySQL would otherwise take ``Ab`` and ``aB`` for one tenant). Times are whole seconds since 1970.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text, UniqueConstraint
from sqlalchemy.dialects.mysql import MEDIUMTEXT

from ..host.ids import LONGEST_HOST_ID

TABLE_PREFIX = "activepieces_"


def binary(length: int) -> String:
    """A string that compares byte by byte on every database."""
    return String(length).with_variant(String(length, collation="utf8mb4_bin"), "mysql", "mariadb")


def collated(length: int) -> String:
    """A string that people wrote, in any script and with emoji, whatever the database's character set."""
    return String(length).with_variant(String(length, collation="utf8mb4_unicode_ci"), "mysql", "mariadb")


#: An id of ours: 22 to 47 characters of base64url or hex. Of a client whose id is a URL, it is the hash of the URL.
ID = binary(64)
#: An id of the host's: a user, tenant or organization.
HOST_ID = binary(LONGEST_HOST_ID)
TIME = BigInteger()
#: MySQL's TEXT ends after 64 KiB.
LONG_TEXT = Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")
#: A primary key that the database counts up (SQLite counts INTEGER only).
SERIAL = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: Outside programs that may ask for tokens, of one tenant or of all. Operators and admins register them, or they
#: register themselves.
oauth_clients = Table(
    TABLE_PREFIX + "oauth_clients",
    metadata,
    Column("client_id", ID, primary_key=True),
    # NULL: users of every tenant may grant it access.
    Column("tenant_id", HOST_ID, index=True),
    Column("name", collated(120), nullable=False),
    Column("description", collated(500), nullable=False),
    Column("logo_uri", Text),
    # SHA-256 of the secret; NULL for a public client (RFC 6749 §2.1).
    Column("secret_hash", binary(64)),
    # The secret before the last rotation: both are valid, so that a rotation has no gap.
    Column("previous_secret_hash", binary(64)),
    # Space-separated: a URI has no space (RFC 3986). The next two are, too (RFC 6749 §3.3).
    Column("redirect_uris", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("grant_types", String(120), nullable=False),
    Column("require_pkce", Boolean, nullable=False),
    # Whether an operator let it get codes without the page, for what its user has allowed before.
    Column("remember_consent", Boolean, nullable=False),
    # Whether it is a resource server, which may introspect tokens of other clients (RFC 7662 §2.1).
    Column("can_introspect", Boolean, nullable=False),
    # The integration that it was created for, and which alone uses it.
    Column("integration_id", ID),
    Column("created_at", TIME, nullable=False),
    # Access tokens issued for its own credentials: an audit row for each would fill the audit.
    Column("tokens_issued", Integer, nullable=False),
    Column("last_issued_at", TIME),
    # Since when it is suspended: it gets no tokens, and keeps its grants.
    Column("disabled_at", TIME),
    # How it became known: ``operator``, ``document`` or ``dynamic``.
    Column("source", String(10), nullable=False, server_default="operator"),
    # When a user approved it last, if it registered itself.
    Column("approved_at", TIME),
    # Where the document is that describes it, when it was read and tried last, and until when it counts as current.
    Column("document_url", Text),
    Column("document_read_at", TIME),
    Column("document_tried_at", TIME),
    Column("document_expires_at", TIME),
    # Its public keys as a JWK set, if it authenticates with one (RFC 7523).
    Column("jwks", Text),
    # SHA-256 of the token with which it reads and deletes its registration (RFC 7592).
    Column("registration_token_hash", binary(64)),
)

#: What the admin of a tenant decided about clients that register themselves; without a row, users may approve all.
client_policies = Table(
    TABLE_PREFIX + "client_policies",
    metadata,
    Column("tenant_id", HOST_ID, primary_key=True),
    # ``all``, ``listed`` or ``none``.
    Column("mode", String(10), nullable=False),
    # Space-separated.
    Column("hosts", Text, nullable=False),
    Column("updated_at", TIME, nullable=False),
)

#: What users allow clients. A row *is* the permission: approving again changes it, revoking deletes it.
grants = Table(
    TABLE_PREFIX + "grants",
    metadata,
    Column("id", ID, primary_key=True),
    Column("client_id", ID, nullable=False),
    Column("tenant_id", HOST_ID, nullable=False),
    Column("user_id", HOST_ID, nullable=False),
    # Empty for the tenant as a whole, and not NULL: a unique key may hold several NULLs.
    Column("organization_id", HOST_ID, nullable=False),
    # The name of the workspace when it was shared, for the connected-apps page.
    Column("workspace_name", collated(190), nullable=False),
    Column("scope", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("updated_at", TIME, nullable=False),
    UniqueConstraint("client_id", "tenant_id", "user_id", "organization_id"),
    Index(None, "tenant_id", "user_id"),
)

#: Everything issued from one code. The primary key is the code's ``jti``, so that a code can be redeemed once on any
#: database. No token is stored: a refresh overwrites the row, so a family is one row however long it lives.
token_families = Table(
    TABLE_PREFIX + "token_families",
    metadata,
    Column("id", ID, primary_key=True),
    Column("client_id", ID, nullable=False, index=True),
    Column("tenant_id", HOST_ID, nullable=False),
    Column("user_id", HOST_ID, nullable=False),
    Column("organization_id", HOST_ID),
    Column("grant_id", ID, nullable=False, index=True),
    Column("scope", Text, nullable=False),
    # The name of the resource that its access tokens are for.
    Column("resource", String(16), nullable=False, server_default="api"),
    # Half of the key that signs its refresh tokens; useless without the app's secret keys.
    Column("secret", ID, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("nonce", ID, nullable=False),
    Column("previous_nonce", ID),
    Column("refresh_count", BigInteger, nullable=False),
    Column("rotated_at", TIME, nullable=False),
    Column("created_at", TIME, nullable=False),
    # Set again by every refresh: an idle family expires. No index holds a column that a refresh overwrites, for then
    # PostgreSQL would have to update every index of the table.
    Column("expires_at", TIME, nullable=False),
    # Revoked families stay until they are pruned, so that a replay is still recognized.
    Column("revoked_at", TIME),
)

#: The users' own tokens. A row *is* the token: revoking it deletes the row.
personal_tokens = Table(
    TABLE_PREFIX + "personal_tokens",
    metadata,
    Column("id", ID, primary_key=True),
    # SHA-256 of the token, which is a random 256-bit text.
    Column("token_hash", binary(64), nullable=False, unique=True),
    # ``personal``, or ``sign_in`` for one that a user name and password were exchanged for.
    Column("kind", String(10), nullable=False),
    Column("name", collated(120), nullable=False),
    Column("tenant_id", HOST_ID, nullable=False),
    Column("organization_id", HOST_ID, nullable=False),
    Column("user_id", HOST_ID, nullable=False),
    Column("workspace_name", collated(190), nullable=False),
    Column("scope", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    # NULL: it does not expire.
    Column("expires_at", TIME, index=True),
    Column("last_used_at", TIME),
    Index(None, "tenant_id", "user_id"),
)

#: Calls of the piece's actions with an idempotency key, so that a repeated one gets the first answer.
action_calls = Table(
    TABLE_PREFIX + "action_calls",
    metadata,
    # SHA-256 of whose token called which action with which key, as hex.
    Column("name", binary(64), primary_key=True),
    # SHA-256 of the inputs.
    Column("fingerprint", binary(64), nullable=False),
    # Who has claimed it, and until when if there is no answer.
    Column("holder", ID, nullable=False),
    Column("claimed_until", TIME, nullable=False),
    # JSON; NULL while the action runs.
    Column("answer", LONG_TEXT),
    Column("expires_at", TIME, nullable=False, index=True),
)

#: What access tokens must not belong to; each row for as long as such a token could live.
revocations = Table(
    TABLE_PREFIX + "revocations",
    metadata,
    # ``token:…``, ``family:…``, ``grant:…``, ``client_credentials:…`` or ``client:…``.
    Column("subject", binary(80), primary_key=True),
    Column("created_at", TIME, nullable=False),
    Column("expires_at", TIME, nullable=False, index=True),
)

#: Links of a tenant, or of an organization in it, to one Activepieces project and key.
integrations = Table(
    TABLE_PREFIX + "integrations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("tenant_id", HOST_ID, nullable=False),
    # Empty for the tenant as a whole, and not NULL: a unique key may hold several NULLs.
    Column("organization_id", HOST_ID, nullable=False),
    # NULL: the server in the app's settings.
    Column("base_url", Text),
    Column("project_id", binary(64), nullable=False),
    # Whether it is the project of all tenants on the app's own key.
    Column("shares_project", Boolean, nullable=False),
    # A JSON object, encrypted with a key that fits this row only; NULL: the app's own key.
    Column("encrypted_credentials", Text),
    # What people may see of the credentials: of a key four characters, of a user the e-mail address.
    Column("credential_hint", collated(255)),
    Column("enabled", Boolean, nullable=False),
    # The default connection: the last one saved for the app's own piece.
    Column("default_connection_id", binary(64)),
    Column("default_connection_external_id", binary(190)),
    # The OAuth client created for it, and that client's secret, encrypted.
    Column("oauth_client_id", ID),
    Column("encrypted_client_secret", Text),
    # A JSON list of the connections that the last check found broken.
    Column("failed_connection_ids", Text, nullable=False),
    # Counts the changes, so that none is lost between reading the row and writing it.
    Column("revision", Integer, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("updated_at", TIME, nullable=False),
    UniqueConstraint("tenant_id", "organization_id"),
)

#: Users of the app who were signed in to a project of Activepieces, for the embedded builder. A row is deleted when
#: the user is no member any more.
provisioned_users = Table(
    TABLE_PREFIX + "provisioned_users",
    metadata,
    # SHA-256 of the project and the external id, as hex.
    Column("id", binary(64), primary_key=True),
    Column("tenant_id", HOST_ID, nullable=False),
    Column("organization_id", HOST_ID, nullable=False),
    # NULL: the user as whom the app itself calls Activepieces for an integration.
    Column("user_id", HOST_ID),
    Column("integration_id", ID, nullable=False, index=True),
    Column("project_id", binary(64), nullable=False),
    # The user's id in the tokens that the app signs.
    Column("external_id", Text, nullable=False),
    # By which permission in the app they may use the builder, edit or view; NULL: the app chose their role.
    Column("permission", String(10)),
    Column("created_at", TIME, nullable=False),
    # Until then, a token could make the user a member again.
    Column("token_expires_at", TIME, nullable=False),
    # When to remove the user from the project; NULL: they may use it.
    Column("removal_due_at", TIME, index=True),
    Index(None, "tenant_id", "user_id"),
)

#: Who may do something that only one may do at a time, or once, and until when.
leases = Table(
    TABLE_PREFIX + "leases",
    metadata,
    # SHA-256 of what is leased, as hex.
    Column("name", binary(64), primary_key=True),
    Column("holder", ID, nullable=False),
    # A lease is deleted when the work is done, and expires if the worker died or if it must not be taken again.
    Column("expires_at", TIME, nullable=False, index=True),
)

#: Who did what to which grant, client or integration, and when. Never a secret, a code or a token.
audit_events = Table(
    TABLE_PREFIX + "audit_events",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("name", binary(40), nullable=False),
    Column("tenant_id", HOST_ID),
    Column("user_id", HOST_ID),
    Column("client_id", ID),
    Column("grant_id", ID),
    Column("family_id", ID),
    # A JSON object of short strings; the database never looks inside.
    Column("detail", Text, nullable=False),
    Column("at", TIME, nullable=False),
    Index(None, "tenant_id", "at"),
)

#: Calls of tools by agents: one row for equal calls within an hour.
tool_calls = Table(
    TABLE_PREFIX + "tool_calls",
    metadata,
    # SHA-256 of all columns that equal calls share, as hex.
    Column("id", binary(64), primary_key=True),
    Column("tenant_id", HOST_ID),
    Column("organization_id", HOST_ID),
    Column("user_id", HOST_ID),
    # NULL for a personal access token.
    Column("client_id", ID),
    Column("personal_token_id", ID),
    Column("tool", binary(128), nullable=False),
    # ``succeeded``, ``rejected``, ``failed`` or ``denied``.
    Column("outcome", String(10), nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_at", TIME, nullable=False),
    # No index has a column that a further call overwrites.
    Column("last_at", TIME, nullable=False),
    Index(None, "tenant_id", "first_at"),
)
