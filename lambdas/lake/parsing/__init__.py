"""From the pieces of a file to staged rows, on three paths."""
