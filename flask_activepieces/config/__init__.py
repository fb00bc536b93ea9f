"""The configuration: its only reader, and what a value must look like."""
