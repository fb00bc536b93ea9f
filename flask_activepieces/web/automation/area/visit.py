"""A visit to the area: who visits, in which workspace, and with which integration; and the decorator of its views."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from ....errors import InvalidInput, SignatureError
from ....host.interface import NavigationItem, Permission, Principal, Workspace
from ....host.workspaces import principal_in
from ....integrations.store import Integration
from ....messages import Message
from ....state import State, get_state
from ...pages.base import page
from ...pages.errors import NOT_ALLOWED, ErrorText, error_text
from ...pages.i18n import gettext
from ...pages.rendering import check_page_token, current_path, error_page, render_with_forms, see_other, to_login
from ...routes import View
from .notices import notice
from .pages import endpoint_of, navigation, open_pages
from .upstream import upstream_error_text
from .workspaces import current_workspace, selected_principal


class NotLinked(Exception):
    """Raised where a page needs an integration, and the workspace has none."""


class Forbidden(Exception):
    """Raised where the user may open the page, but not do this."""


@dataclass(frozen=True)
class Visit:
    """A request for a page of the area."""

    state: State
    principal: Principal
    #: The page in the navigation.
    page: str

    @cached_property
    def workspaces(self) -> Sequence[Workspace]:
        """All workspaces of the user."""
        return self.state.host.workspaces(self.principal)

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace that the user works in."""
        return current_workspace(self.workspaces, self.principal)

    @cached_property
    def organizations(self) -> Collection[str | None]:
        """The organizations of the tenant whose events the user may see; None is the tenant as a whole."""
        return self.state.tenants.integrations.organizations_of(self.principal)

    @cached_property
    def found_integration(self) -> Integration | None:
        """The integration of the user's organization, else that of the tenant; None if there is none."""
        visible = self.state.tenants.integrations.visible_to(self.principal)
        by_organization = {integration.organization_id: integration for integration in visible}
        return by_organization.get(self.principal.organization_id) or by_organization.get(None)

    @property
    def integration(self) -> Integration:
        """The same; `NotLinked` if there is none."""
        if self.found_integration is None:
            raise NotLinked
        return self.found_integration

    def has_integration(self, integration_id: str) -> bool:
        """Whether this is the integration of the workspace."""
        return self.found_integration is not None and self.found_integration.id == integration_id

    def allows(self, permission: Permission) -> bool:
        """Whether the user has this permission in the workspace."""
        if permission not in self._permissions:
            self._permissions[permission] = self.state.host.allows(self.principal, permission)
        return self._permissions[permission]

    @cached_property
    def _permissions(self) -> dict[Permission, bool]:
        return {}

    @cached_property
    def pages(self) -> Sequence[str]:
        """The pages that the user may open."""
        return open_pages(self.state, self.found_integration, self.allows)

    @property
    def home(self) -> str:
        """The endpoint of the first page that the user may open: the overview, unless it is switched off."""
        return endpoint_of(next(iter(self.pages), ""))

    def render(self, template: str, *, problem: InvalidInput | None = None, **context: Any) -> Response:
        """A page of the area; with the problem of a form, which is shown beside its fields."""
        if problem is not None:
            context["status"] = 422
        errors = problem.fields if problem else {}
        return render_with_forms(
            self.state,
            self.principal,
            f"automation/{template}",
            prefix=self.state.settings.automation_prefix,
            allow_scripts=True,
            errors={name: gettext(message) for name, message in errors.items()},
            **{"notice": notice(request.args.get("done")), **self._frame(), **context},
        )

    def error_page(self, text: ErrorText, *, page_url: str | None = None) -> Response:
        """The error within the area; with a link to the page, if it can be used again."""
        return error_page(
            text, template="automation/error.html", allow_scripts=True, page_url=page_url, **self._frame()
        )

    def redirect(self, endpoint: str, *, done: str | None = None, **values: Any) -> Response:
        """To another page of the area, which says what was done."""
        return see_other(url_for(f"activepieces.{endpoint}", done=done, **values))

    def _frame(self) -> dict[str, Any]:
        return {
            "navigation": navigation(self.state, self.principal, self.pages, current=self.page),
            "pages": self.pages,
            "workspace": self.workspace,
            "can_switch": len(self.workspaces) > 1,
            "current_page": self.page,
            "home": self.home,
            "may_edit": self.allows("edit"),
            "is_admin": self.allows("admin"),
            "integration": self.found_integration,
        }


AreaView = Callable[..., ResponseReturnValue]


def automation_page(name: str, permission: Permission | None) -> Callable[[AreaView], View]:
    """Decorate a view of the area: users sign in, need the permission in their workspace, and see errors as pages.

    A workspace without an integration is led to the set-up.
    """

    def decorate(view: AreaView) -> View:
        @page
        @wraps(view)
        def wrapper(**path: str) -> ResponseReturnValue:
            state = get_state()
            signed_in = state.host.current_principal()
            if signed_in is None:
                # The address of a button accepts POST only: its page comes first.
                its_page = url_for(f"activepieces.{endpoint_of(name)}")
                return to_login(state, its_page if request.method == "POST" else current_path())
            visit = Visit(state, selected_principal(state, signed_in), name)
            if permission is not None and not visit.allows(permission):
                return visit.error_page(NOT_ALLOWED)
            try:
                if request.method == "POST":
                    check_page_token(state, visit.principal)
                return view(visit, **path)
            except NotLinked:
                return _lead_to_setup(visit)
            except Forbidden:
                return visit.error_page(NOT_ALLOWED)
            except SignatureError as error:
                return _refuse_form(visit, error)
            except Exception as error:
                text = error_text(error) or upstream_error_text(error, visit.found_integration)
                if text is None:
                    raise
                return visit.error_page(text)

        return wrapper

    return decorate


def area_navigation() -> Sequence[NavigationItem]:
    """The links for the signed-in user, for the navigation of the app itself."""
    state = get_state()
    signed_in = state.host.current_principal()
    if signed_in is None:
        return []
    visit = Visit(state, selected_principal(state, signed_in), "")
    return navigation(state, visit.principal, visit.pages)


def _lead_to_setup(visit: Visit) -> Response:
    if "setup" in visit.pages:
        return visit.redirect("automation_setup")
    return visit.error_page(
        ErrorText(
            status=404,
            title=Message("Not connected yet"),
            message=Message("This workspace is not connected to Activepieces."),
            remedy=Message("Ask an administrator of your workspace to connect it."),
        )
    )


def _refuse_form(visit: Visit, error: SignatureError) -> Response:
    """Why the form was refused, and the page to start again."""
    workspace = _workspace_of_form(visit)
    text = error_text(error)
    if workspace is not None:
        text = ErrorText(
            status=409,
            title=Message("Another workspace is open now"),
            message=Message("Nothing was changed: the form was for the workspace %(name)s.", name=workspace.name),
            remedy=Message("Switch back to it, or start again in this workspace."),
        )
    assert text is not None, "SignatureError has a text"
    return visit.error_page(text, page_url=url_for(f"activepieces.{endpoint_of(visit.page)}"))


def _workspace_of_form(visit: Visit) -> Workspace | None:
    """The workspace in which the user opened the page, if it is another one; otherwise None."""
    for workspace in visit.workspaces:
        member = principal_in(visit.state.host, visit.principal, workspace)
        if member is not None:
            with suppress(SignatureError):
                check_page_token(visit.state, member)
                return workspace if member != visit.principal else None
    return None
