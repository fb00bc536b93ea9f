"""HTTP: reads the request, calls a service, answers."""
