"""The tables, one a file."""

from .audit_event import AuditEventRow
from .base import Base
from .grant import GrantRow
from .integration import IntegrationRow
from .lease import LeaseRow
from .oauth_client import OAuthClientRow
from .revocation import RevocationRow
from .token_family import TokenFamilyRow

__all__ = [
    "AuditEventRow",
    "Base",
    "GrantRow",
    "IntegrationRow",
    "LeaseRow",
    "OAuthClientRow",
    "RevocationRow",
    "TokenFamilyRow",
]
