"""The stand-in and the REST client, compared with recordings of real servers."""
