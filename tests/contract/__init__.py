"""The stand-in and the API client, compared with recordings of real servers."""
