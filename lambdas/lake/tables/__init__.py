"""Tables: the Glue catalog, shadow tables, the vacuum, and run records."""
