"""The bucket: its layout, landed results and objects."""
