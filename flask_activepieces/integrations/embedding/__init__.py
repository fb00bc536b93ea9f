"""The embedded builder: tokens for users of the app, and their membership in the projects of Activepieces."""
