"""The subjects: each a program `python SUBJECT FILE OUT` that turns an event file into Parquet.

It prints one JSON object: `files`, a glob of what it wrote.
"""
