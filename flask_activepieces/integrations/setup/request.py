"""What an admin asks to set up or change, and what Activepieces accepted of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from .credentials import Credentials


@dataclass(frozen=True, kw_only=True)
class SetupRequest:
    """The setup of an integration. What is left out stays as it is, or is looked up."""

    tenant_id: str
    organization_id: str | None = None
    api_key: str | None = field(default=None, repr=False)
    user_token: str | None = field(default=None, repr=False)
    email: str | None = None
    password: str | None = field(default=None, repr=False)
    project_id: str | None = None
    base_url: str | None = None

    @property
    def credentials(self) -> Credentials:
        """The new credentials."""
        return Credentials(api_key=self.api_key, user_token=self.user_token, email=self.email, password=self.password)


@dataclass(frozen=True, kw_only=True)
class VerifiedSetup:
    """What to save, once Activepieces has accepted it."""

    base_url: str | None
    #: None: the project stays.
    project_id: str | None = None
    shares_project: bool = False
    #: None: the credentials stay.
    credentials: Credentials | None = field(default=None, repr=False)
