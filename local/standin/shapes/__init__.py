"""Shapes: the stand-in's records in other names, nesting, types and formats. docs/shapes.md describes the file."""

from local.standin.shapes.definition import BadShape, ExportShape, Field, Shape
from local.standin.shapes.read import parsed, place, read
from local.standin.shapes.served import texts

__all__ = ["BadShape", "ExportShape", "Field", "Shape", "parsed", "place", "read", "texts"]
