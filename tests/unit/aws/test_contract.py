"""Contract of the AWS fakes: they respond as moto does, and refuse what AWS refuses and moto accepts."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.unit.aws.in_process import in_process_aws
from tests.unit.aws.scenarios import Responses, catalog, ledger, objects, response_of, secrets, transfers, uploads


@pytest.mark.parametrize("scenario", [objects, uploads, catalog, ledger, secrets])
def test_responses_equal_those_of_moto(scenario: Callable[[], Responses]) -> None:
    with mock_aws():
        expected = scenario()
    with in_process_aws():
        found = scenario()
    for number, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert one == other, number


def test_file_transfers_equal_those_of_moto(tmp_path: Any) -> None:
    with mock_aws():
        expected = transfers(str(tmp_path))
    with in_process_aws():
        assert transfers(str(tmp_path)) == expected


@pytest.fixture
def fake_aws() -> Iterator[None]:
    with in_process_aws():
        yield


def test_a_stale_version_of_a_table_is_refused(fake_aws: None) -> None:
    glue: Any = boto3.client("glue", region_name="eu-west-1")
    glue.create_database(DatabaseInput={"Name": "lake"})
    glue.create_table(DatabaseName="lake", TableInput={"Name": "opens"})
    version = glue.get_table(DatabaseName="lake", Name="opens")["Table"]["VersionId"]
    given = {"DatabaseName": "lake", "TableInput": {"Name": "opens"}, "VersionId": version}
    glue.update_table(**given)
    assert response_of(glue.update_table, **given) == "ConcurrentModificationException"


def test_more_partitions_than_the_batch_limit_are_refused(fake_aws: None) -> None:
    glue: Any = boto3.client("glue", region_name="eu-west-1")
    glue.create_database(DatabaseInput={"Name": "lake"})
    glue.create_table(
        DatabaseName="lake", TableInput={"Name": "t", "PartitionKeys": [{"Name": "dt", "Type": "string"}]}
    )
    some = [{"Values": [str(number)]} for number in range(101)]
    given = {"DatabaseName": "lake", "TableName": "t"}
    assert response_of(glue.batch_create_partition, **given, PartitionInputList=some) == "ValidationException"
    assert (
        response_of(glue.batch_create_partition, **given, PartitionInputList=[{"Values": ["a", "b"]}])
        == "InvalidInputException"
    )


def test_invalid_checksums_parts_and_uploads_are_refused(fake_aws: None) -> None:
    s3: Any = boto3.client("s3", region_name="eu-west-1")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    at = {"Bucket": "lake", "Key": "whole"}
    upload = s3.create_multipart_upload(**at, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")["UploadId"]
    other = {"Body": b"abc", "ChecksumCRC32": "AAAAAA=="}
    assert response_of(s3.upload_part, **at, UploadId="none", PartNumber=1, Body=b"abc") == "NoSuchUpload"
    assert response_of(s3.put_object, **at, **other) == "BadDigest"
    assert response_of(s3.upload_part, **at, UploadId=upload, PartNumber=1, **other) == "BadDigest"
    part = s3.upload_part(**at, UploadId=upload, PartNumber=1, Body=b"abc")
    (listed,) = s3.list_parts(**at, UploadId=upload)["Parts"]
    assert listed["ChecksumCRC32"] == part["ChecksumCRC32"]
    given = {**at, "UploadId": upload, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}}
    reordered = {"Parts": [{"PartNumber": number, "ETag": part["ETag"]} for number in (2, 1)]}
    assert response_of(s3.complete_multipart_upload, **{**given, "MultipartUpload": reordered}) == "InvalidPartOrder"
    assert response_of(s3.complete_multipart_upload, **{**given, "UploadId": "none"}) == "NoSuchUpload"
    assert response_of(s3.complete_multipart_upload, **given, MpuObjectSize=4) == "InvalidRequest"
    assert s3.complete_multipart_upload(**given, MpuObjectSize=3)["ChecksumCRC32"] == part["ChecksumCRC32"]


def test_unused_expression_names_and_values_are_refused(fake_aws: None) -> None:
    client: Any = boto3.client("dynamodb", region_name="eu-west-1")
    client.create_table(
        TableName="ledger",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    given = {"TableName": "ledger", "Item": {"pk": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    assert response_of(client.put_item, **given, ExpressionAttributeNames={"#n": "n"}) == "ValidationException"


def test_a_page_of_items_is_limited_to_a_megabyte(fake_aws: None) -> None:
    table = boto3.resource("dynamodb", region_name="eu-west-1").create_table(
        TableName="ledger",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in range(5):
        table.put_item(Item={"pk": f"{number}", "text": "x" * 300_000})
    first = table.scan()
    rest = table.scan(ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [item["pk"] for item in first["Items"] + rest["Items"]] == list("01234")
    assert len(json.dumps(first["Items"])) < 1_300_000
