"""What a result file would become: read as the load reads it, and shown without the values of anybody."""
