"""Flags and health of the server, and the plan of a platform."""

from __future__ import annotations

from .routing.responses import Json, Row
from .routing.route_groups import PUBLIC, RouteCall, RouteGroup
from .state import FEATURES, ServerState

group = RouteGroup("facts")

_LOGO = "https://cdn.activepieces.com/brand/logo.svg"

_THEME: Row = {
    "websiteName": "Activepieces",
    "colors": {
        "avatar": "#515151",
        "blue-link": "#1890ff",
        "danger": "#f94949",
        "primary": {"default": "#6e41e2", "dark": "#6738e1", "light": "#eee8fc", "medium": "#c6b4f4"},
        "warn": {"default": "#f78a3b", "light": "#fff6e4", "dark": "#cc8805"},
        "success": {"default": "#14ae5c", "light": "#3cad71"},
        "selection": "#8964e7",
    },
    "logos": {
        "fullLogoUrl": "https://cdn.activepieces.com/brand/full-logo.png",
        "favIconUrl": _LOGO,
        "logoIconUrl": _LOGO,
    },
}

_FLAGS: Row = {
    "AGENTS_CONFIGURED": True,
    "SHOW_ALERTS": True,
    "SHOW_PROJECT_MEMBERS": True,
    "SHOW_BADGES": True,
    "CAN_BUY_ACTIVE_FLOWS": False,
    "CAN_BUY_AI_CREDITS": False,
    "SHOW_BILLING_LIMITS_ON_SIDEBAR": False,
    "SHOW_BILLING_PAGE": False,
    "SHOW_POWERED_BY_IN_FORM": True,
    "PIECES_SYNC_MODE": "NONE",
    "ENABLE_FLOW_ON_PUBLISH": True,
    "EXECUTION_DATA_RETENTION_DAYS": 30,
    "CLOUD_AUTH_ENABLED": True,
    "THIRD_PARTY_AUTH_PROVIDERS_TO_SHOW_MAP": {},
    "EMAIL_AUTH_ENABLED": True,
    "THEME": _THEME,
    "SHOW_COMMUNITY": False,
    "PRIVATE_PIECES_ENABLED": True,
    "PRIVACY_POLICY_URL": "https://www.activepieces.com/privacy",
    "TERMS_OF_SERVICE_URL": "https://www.activepieces.com/terms",
    "TELEMETRY_ENABLED": False,
    "FLOW_RUN_TIME_SECONDS": 600,
    "TRIGGER_TIMEOUT_SECONDS": 60,
    "FLOW_RUN_MEMORY_LIMIT_KB": 1_048_576,
    "FLOW_RUN_LOG_SIZE_LIMIT_MB": 50,
    "PAUSED_FLOW_TIMEOUT_DAYS": 30,
    "WEBHOOK_TIMEOUT_SECONDS": 30,
    "LATEST_VERSION": "0.0.0",
    "ALLOW_NPM_PACKAGES_IN_CODE_STEP": True,
    "MAX_RECORDS_PER_TABLE": 10_000,
    "MAX_FIELDS_PER_TABLE": 100,
    "MAX_FILE_SIZE_MB": 25,
    "PROJECT_RATE_LIMITER_ENABLED": False,
    "DEFAULT_CONCURRENT_JOBS_LIMIT": 5,
    "SMTP_CONFIGURED": False,
    "PGVECTOR_AVAILABLE": False,
    "SUPPORTED_APP_WEBHOOKS": [],
    "ALLOWED_EMBED_ORIGINS": [],
}

#: Features of a plan that no route of the stand-in checks.
_OTHER_FEATURES = (
    "eventStreamingEnabled",
    "environmentsEnabled",
    "auditLogEnabled",
    "chatEnabled",
    "dataManipulationEnabled",
    "manageTemplatesEnabled",
    "customAppearanceEnabled",
    "projectRolesEnabled",
    "customRolesEnabled",
    "ssoEnabled",
    "secretManagersEnabled",
    "scimEnabled",
    "customDomainsEnabled",
)
_PLAN: Row = {
    "includedAiCredits": 0,
    "tablesEnabled": True,
    "aiCreditsAutoTopUpState": "disabled",
    "analyticsEnabled": True,
    "showPoweredBy": False,
    "agentsEnabled": True,
    "aiProvidersEnabled": True,
    "stripeSubscriptionStartDate": 0,
    "stripeSubscriptionEndDate": 0,
    "dedicatedWorkers": None,
    "canary": False,
}
#: Features that only an Enterprise plan has.
_NO_LIMITS: Row = dict.fromkeys(
    (
        "plan",
        "lastFreeAiCreditsRenewalDate",
        "aiCreditsAutoTopUpThreshold",
        "aiCreditsAutoTopUpCreditsToAdd",
        "maxAutoTopUpCreditsMonthly",
        "licenseKey",
        "stripeCustomerId",
        "stripeSubscriptionId",
        "stripeSubscriptionStatus",
        "stripeSubscriptionCancelDate",
        "projectsLimit",
        "activeFlowsLimit",
        "workerGroupId",
    )
)
_USAGE: Row = {
    "totalAiCreditsUsed": 0,
    "totalAiCreditsUsedThisMonth": 0,
    "aiCreditsRemaining": 0,
    "aiCreditsLimit": 0,
    "activeFlows": 0,
}


def platform_json(state: ServerState, platform: Row) -> Row:
    """A platform as the API returns it to its users."""
    return {
        "federatedAuthProviders": {"saml": None},
        "plan": _plan(state),
        **({"usage": _USAGE} if state.edition == "ee" else {}),
        "allowedEmbedOrigins": [],
        **platform,
        "primaryColor": "#6e41e2",
        "logoIconUrl": _LOGO,
        "fullLogoUrl": "https://cdn.activepieces.com/brand/full-logo.png",
        "favIconUrl": _LOGO,
        "filteredPieceNames": [],
        "filteredPieceBehavior": "BLOCKED",
        "cloudAuthEnabled": True,
        "googleAuthEnabled": True,
        "enforceAllowedAuthDomains": False,
        "allowedAuthDomains": [],
        "ssoDomain": None,
        "ssoDomainVerification": None,
        "emailAuthEnabled": True,
        "pinnedPieces": [],
    }


def _plan(state: ServerState) -> Row:
    enterprise = state.edition == "ee"
    return {
        **_PLAN,
        **(_NO_LIMITS if enterprise else {}),
        "teamProjectsLimit": "UNLIMITED" if enterprise else "ONE",
        **dict.fromkeys(_OTHER_FEATURES, enterprise),
        **{feature: feature in state.plan for feature in FEATURES},
    }


@group.route("GET", "/health", who=PUBLIC)
def health(call: RouteCall) -> tuple[int, Json]:
    """Whether the server is up."""
    return 200, {"status": "Healthy"}


@group.route("GET", "/flags", who=PUBLIC)
def flags(call: RouteCall) -> tuple[int, Json]:
    """Edition, version, and settings for the web pages."""
    state = call.state
    return 200, _FLAGS | {
        "ENVIRONMENT": "prod" if state.validates_values else "test",
        "EDITION": state.edition,
        "CURRENT_VERSION": state.release,
        "PUBLIC_URL": f"{state.url}/",
        "THIRD_PARTY_AUTH_PROVIDER_REDIRECT_URL": f"{state.url}/redirect",
        "WEBHOOK_URL_PREFIX": f"{state.url}{state.api_root}/webhooks",
    }
