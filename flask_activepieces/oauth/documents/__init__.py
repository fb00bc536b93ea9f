"""OAuth clients that are described by a document: their id is the URL of the document."""
