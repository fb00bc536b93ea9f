"""Connections and the OAuth 2 sign-ins behind them."""
