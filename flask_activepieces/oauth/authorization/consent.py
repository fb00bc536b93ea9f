"""What a user may decide about a request, and the code that their yes is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from authlib.oauth2.rfc6749 import AccessDeniedError, OAuth2Error

from ...config.settings import Scope
from ...crypto.keyring import KeyRing
from ...errors import InvalidInput
from ...host.interface import Principal, Workspace
from ...messages import Message
from ..clients import redirect_uris as redirects
from ..clients.client import OAuthClient
from ..grants import Grant
from .codes import issue_code
from .request import AuthorizationRequest, Refused


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the user said yes to."""

    workspace: Workspace
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Question:
    """Everything that is put before a user: who asks for what, and which workspaces could be shared."""

    request: AuthorizationRequest
    client: OAuthClient
    principal: Principal
    workspaces: tuple[Workspace, ...]
    scopes: tuple[Scope, ...]

    def decide(self, *, workspace: str | None, names: Sequence[str]) -> Choice:
        """The user's choice if it is one of those offered; `InvalidInput` says what is not."""
        offered = {one.form_value: one for one in self.workspaces}
        if workspace is None and len(offered) == 1:
            workspace = self.workspaces[0].form_value
        if workspace not in offered:
            raise InvalidInput({"workspace": Message("Choose one of your workspaces.")})
        chosen = [scope.name for scope in self.scopes if scope.required or scope.name in names]
        if not chosen:
            raise InvalidInput(
                {"scope": Message("Leave at least one permission ticked, or deny the request.")}
            )
        return Choice(workspace=offered[workspace], names=tuple(chosen))

    @property
    def preferred(self) -> Workspace:
        """The workspace that is marked beforehand: the one the user is in, if it is offered."""
        own = (self.principal.tenant_id, self.principal.organization_id)
        return next(
            (one for one in self.workspaces if (one.tenant_id, one.organization_id) == own),
            self.workspaces[0],
        )

    def remembered(self, grants: Sequence[Grant]) -> Grant | None:
        """The grant that answers this request without asking again, if one does.

        Only for a client that an operator marked, and not where a workspace is to be picked. Never for a public
        client, because anyone can pretend to be one (RFC 8252 §8.6), and never for a redirect page that hands the
        code to whoever opened it, even if the client got that address while it was being marked.
        """
        shows_page = (
            not self.client.remember_consent
            or not self.client.is_confidential
            or redirects.posts_code_to_opener(self.request.redirect_uri)
        )
        if shows_page or self.request.prompt == "consent" or len(self.workspaces) != 1:
            return None
        (workspace,) = self.workspaces
        return next(
            (
                grant
                for grant in grants
                if grant.covers(self.request.names)
                and grant.organization_id == workspace.organization_id
            ),
            None,
        )


def question(
    request: AuthorizationRequest,
    client: OAuthClient,
    principal: Principal,
    workspaces: Sequence[Workspace],
    known: Mapping[str, Scope],
) -> Question:
    """The question for this user; `Refused` when none of their workspaces may use the client."""
    served = tuple(
        workspace for workspace in workspaces if client.is_available_to(workspace.tenant_id)
    )
    if not served:
        raise denied(request, "This client belongs to a workspace that the user is not in.")
    return Question(
        request=request,
        client=client,
        principal=principal,
        workspaces=served,
        scopes=tuple(known[name] for name in request.names if name in known),
    )


def denied(request: AuthorizationRequest, description: str = "The user said no.") -> Refused:
    """RFC 6749 §4.1.2.1: the client is told."""
    return Refused(request, AccessDeniedError(description))


def unanswerable(request: AuthorizationRequest, error: str) -> Refused:
    """The answer to ``prompt=none`` when a page would be needed (OpenID Connect Core §3.1.2.6)."""
    return Refused(request, OAuth2Error(error=error, description="The user has to be asked."))


def code_for(
    keys: KeyRing,
    question: Question,
    grant: Grant,
    names: Sequence[str],
    *,
    issuer: str,
    now: int,
    lifetime: int,
) -> str:
    """The code that carries the user's yes to the client."""
    request = question.request
    return issue_code(
        keys,
        now=now,
        lifetime=lifetime,
        iss=issuer,
        client_id=question.client.client_id,
        grant_id=grant.id,
        user_id=grant.user_id,
        tenant_id=grant.tenant_id,
        organization_id=grant.organization_id,
        redirect_uri=request.redirect_uri if request.redirect_uri_given else None,
        scope=" ".join(names),
        code_challenge=request.code_challenge,
    )
