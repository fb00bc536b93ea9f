"""MCP servers of projects and of the platform."""
