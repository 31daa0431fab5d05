"""How fast and how small: this project's load against the bare engine and the tools that a team would pick instead."""
