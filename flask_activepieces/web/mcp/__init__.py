"""The endpoint at which agents call the app's actions: the Model Context Protocol over HTTP."""
