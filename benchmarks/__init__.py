"""What the extension costs, as multiples of a bare Flask view: `make bench`, explained in docs/performance.md."""
