"""What a user decides about an authorization request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from authlib.oauth2.rfc6749 import AccessDeniedError, OAuth2Error

from ...config.scopes import Scope
from ...errors import InvalidInput
from ...host.interface import Principal, Workspace
from ...messages import Message
from ..clients import redirect_uris as redirects
from ..clients.client import OAuthClient
from ..grants import Grant
from .codes import CodeIssuer
from .request import AuthorizationErrorResponse, AuthorizationRequest


@dataclass(frozen=True, kw_only=True)
class ConsentDecision:
    """What the user approved."""

    workspace: Workspace
    scopes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ConsentRequest:
    """What a user is asked: which client requests which scopes, and in which workspace."""

    request: AuthorizationRequest
    client: OAuthClient
    principal: Principal
    workspaces: tuple[Workspace, ...]
    scopes: tuple[Scope, ...]

    def validate_decision(self, *, workspace: str | None, scopes: Sequence[str]) -> ConsentDecision:
        """The user's decision; `InvalidInput` if it is not one of those offered."""
        offered = {one.form_value: one for one in self.workspaces}
        if workspace is None and len(offered) == 1:
            workspace = self.workspaces[0].form_value
        if workspace not in offered:
            raise InvalidInput({"workspace": Message("Choose one of your workspaces.")})
        approved = [scope.name for scope in self.scopes if scope.required or scope.name in scopes]
        if not approved:
            raise InvalidInput({"scope": Message("Select at least one permission, or deny.")})
        return ConsentDecision(workspace=offered[workspace], scopes=tuple(approved))

    @property
    def default_workspace(self) -> Workspace:
        """The workspace that is selected at first: the user's current one, if it is offered."""
        current = (self.principal.tenant_id, self.principal.organization_id)
        return next(
            (one for one in self.workspaces if (one.tenant_id, one.organization_id) == current), self.workspaces[0]
        )

    def find_reusable_grant(self, grants: Sequence[Grant]) -> Grant | None:
        """The existing grant that makes the consent page unnecessary, if there is one.

        Only for a client that an operator marked, and only for a user with one workspace. Never for a public client,
        because anyone can pretend to be one (RFC 8252 §8.6), and never for a redirect page that hands the code to its
        opener, even if the client was given that address at the moment when it was marked.
        """
        needs_page = (
            not self.client.remember_consent
            or not self.client.is_confidential
            or redirects.posts_code_to_opener(self.request.redirect_uri)
        )
        if needs_page or self.request.prompt == "consent" or len(self.workspaces) != 1:
            return None
        (workspace,) = self.workspaces
        return next(
            (
                grant
                for grant in grants
                if grant.covers(self.request.scopes) and grant.organization_id == workspace.organization_id
            ),
            None,
        )

    def issue_code(self, code_issuer: CodeIssuer, grant: Grant, scopes: Sequence[str], *, issuer: str) -> str:
        """The code for the client, once the user has approved these scopes."""
        return code_issuer.issue(
            grant,
            scopes,
            issuer=issuer,
            redirect_uri=self.request.redirect_uri if self.request.redirect_uri_given else None,
            code_challenge=self.request.code_challenge,
            resource=self.request.resource,
        )


def consent_request(
    request: AuthorizationRequest,
    client: OAuthClient,
    principal: Principal,
    workspaces: Sequence[Workspace],
    known_scopes: Mapping[str, Scope],
) -> ConsentRequest:
    """What this user is asked; `AuthorizationErrorResponse` if the client is available to none of the workspaces."""
    available = tuple(one for one in workspaces if client.is_available_to(one.tenant_id))
    if not available:
        raise access_denied(request, "This client belongs to a workspace that the user is not in.")
    return ConsentRequest(
        request=request,
        client=client,
        principal=principal,
        workspaces=available,
        scopes=tuple(known_scopes[name] for name in request.scopes if name in known_scopes),
    )


def access_denied(
    request: AuthorizationRequest, description: str = "The user denied access."
) -> AuthorizationErrorResponse:
    """RFC 6749 §4.1.2.1."""
    return AuthorizationErrorResponse(request, AccessDeniedError(description))


def interaction_required(request: AuthorizationRequest, error: str) -> AuthorizationErrorResponse:
    """The response to ``prompt=none`` when a page is needed (OpenID Connect Core §3.1.2.6)."""
    return AuthorizationErrorResponse(request, OAuth2Error(error=error, description="User interaction is required."))
