"""The embedded builder: its page, and an SDK that shows it in a frame."""
