"""Result files: splitting them into pieces, and JSON values by their text."""
