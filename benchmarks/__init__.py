"""The cost of the extension as a multiple of an empty Flask view: `make bench`, explained in docs/performance.md."""
