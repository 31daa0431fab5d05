"""One campaign's numbers, as the vendor's screen shows them, beside those of the lake."""
