"""Objects that S3 does not delete, though it answers 200."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from lambdas.lake.storage.store import NotDeleted, Store
from tests.unit.fakes import BUCKET

REFUSED = {"Errors": [{"Key": "curated/opens/a", "Code": "AccessDenied", "Message": "Access Denied"}]}


def test_an_object_that_is_not_deleted_is_an_error_that_names_it() -> None:
    s3 = boto3.client("s3")
    with Stubber(s3) as stub:
        stub.add_response("delete_objects", {})
        stub.add_response("delete_objects", REFUSED)
        keys = [f"curated/opens/{number:04}" for number in range(1001)]
        with pytest.raises(NotDeleted, match=r"1 of 1 objects: curated/opens/a \(AccessDenied\)"):
            Store(s3, BUCKET).delete(keys)
        stub.assert_no_pending_responses()


def test_nothing_is_published_beside_what_could_not_be_deleted(tmp_path: Path) -> None:
    """What a killed call has left below a prefix would be read as well."""
    s3: Any = boto3.client("s3")
    (tmp_path / "part").write_bytes(b"rows")
    with Stubber(s3) as stub:
        stub.add_response("list_objects_v2", {"Contents": [{"Key": "curated/opens/a", "LastModified": "2026-01-01"}]})
        stub.add_response("delete_objects", REFUSED)
        with pytest.raises(NotDeleted):
            Store(s3, BUCKET).upload_all([tmp_path / "part"], "curated/opens/")
        stub.assert_no_pending_responses()
