"""Shared by tests: fakes at our own interfaces, factories, and requirements on the machine."""
