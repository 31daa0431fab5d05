"""What is inferred from an export's fields."""
