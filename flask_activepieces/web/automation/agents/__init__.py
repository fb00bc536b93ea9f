"""The page about AI agents that use this app: how to connect one, who did, what they did, and which are allowed."""
