"""The lake: raw results in a bucket, and the tables that are merged from them."""
