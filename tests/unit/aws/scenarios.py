"""Calls to each service whose responses are compared with moto's."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError, ParamValidationError

PART = 5 << 20
Responses = list[Any]

# Fields that are specific to an implementation.
_IGNORED = {
    *("ResponseMetadata", "UploadId", "VersionId", "CreateTime", "UpdateTime", "CreationTime", "ARN", "Initiated"),
    *("CreatedBy", "CatalogId", "IsRegisteredWithLakeFormation", "Owner", "Initiator", "NextContinuationToken"),
    *("NextToken", "LastModified", "CreatedDate", "VersionIds", "EncodingType", "Location", "TableDescription"),
    # moto returns these inconsistently; `test_contract.py` checks the checksums of parts directly.
    *("ChecksumCRC32", "ChecksumType", "ServerSideEncryption", "PartNumberMarker", "MaxParts", "MaxKeys"),
    *("NextPartNumberMarker", "StorageClass", "AcceptRanges", "CacheControl", "ContentLanguage", "KeyMarker"),
    *("MaxUploads", "UploadIdMarker", "Delimiter", "ChecksumAlgorithm", "NextKeyMarker", "NextUploadIdMarker"),
    *("Retention", "TableId", "BucketArn", "BucketKeyEnabled", "ConsumedCapacity", "TableName", "DatabaseName"),
    *("PartitionKeys", "Parameters", "Message", "ErrorMessage", "ContentType", "ReplicationStatus", "HTTPStatusCode"),
}


def plain(value: Any) -> Any:
    """A response without ignored and empty fields."""
    if isinstance(value, dict):
        inner = {name: plain(one) for name, one in value.items() if name not in _IGNORED}
        return {name: one for name, one in inner.items() if one not in (None, "", [], {}, False)}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if hasattr(value, "read"):
        return value.read()
    return "a time" if isinstance(value, datetime) else value


def response_of(call: Callable[..., Any], **given: Any) -> Any:
    """The response of a call, or its error code."""
    try:
        return plain(call(**given))
    except ClientError as error:
        return error.response["Error"]["Code"]
    except ParamValidationError:
        return "invalid parameters"


def objects() -> Responses:
    s3: Any = boto3.client("s3", region_name="eu-west-1")
    at = {"Bucket": "lake"}
    responses = [
        response_of(s3.put_object, **at, Key="early", Body=b""),
        response_of(s3.create_bucket, **at, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}),
        response_of(s3.get_object, **at, Key="none"),
        response_of(s3.head_object, **at, Key="none"),
        response_of(s3.get_object, Bucket="elsewhere", Key="none"),
        response_of(s3.put_object, Bucket="", Key="none"),
    ]
    responses += [
        response_of(s3.put_object, **at, Key=key, Body=key.encode() * 3) for key in ("a/1", "a/é", "a/2", "b", "a")
    ]
    responses += [
        response_of(s3.get_object, **at, Key="a/1"),
        response_of(s3.head_object, **at, Key="a/1"),
        response_of(s3.get_object, **at, Key="a/1", Range="bytes=2-4"),
        response_of(s3.get_object, **at, Key="a/1", Range="bytes=2-400"),
        response_of(s3.get_object, **at, Key="a/1", Range="bytes=7-"),
        response_of(s3.get_object, **at, Key="a/1", Range="bytes=9-20"),
        response_of(s3.get_object, **at, Key="a/1", IfMatch='"other"'),
        response_of(s3.list_objects_v2, **at, Prefix="a/"),
        response_of(s3.list_objects_v2, **at, Prefix="c"),
        response_of(s3.list_objects_v2, **at, StartAfter="a/2"),
        response_of(s3.list_objects_v2, **at, MaxKeys=2),
        response_of(s3.delete_objects, **at, Delete={"Objects": [{"Key": "a/1"}, {"Key": "none"}]}),
        response_of(s3.delete_object, **at, Key="a/1"),
        response_of(s3.list_objects_v2, Bucket="elsewhere"),
    ]
    pages = s3.get_paginator("list_objects_v2").paginate(**at, PaginationConfig={"PageSize": 1})
    return [*responses, [plain(item) for page in pages for item in page.get("Contents", [])]]


def uploads() -> Responses:
    s3: Any = boto3.client("s3", region_name="eu-west-1")
    at = {"Bucket": "lake", "Key": "whole"}
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    first, second = (s3.create_multipart_upload(**at, ChecksumAlgorithm="CRC32")["UploadId"] for _ in range(2))
    parts = [
        s3.upload_part(**at, UploadId=first, PartNumber=number, Body=bytes([number]) * (PART + number))["ETag"]
        for number in (1, 2, 3)
    ]
    named = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(parts, start=1)]

    def completed(some: list[Any], upload: str = first) -> Any:
        return response_of(s3.complete_multipart_upload, **at, UploadId=upload, MultipartUpload={"Parts": some})

    pages = s3.get_paginator("list_parts").paginate(**at, UploadId=first, PaginationConfig={"PageSize": 2})
    responses = [
        [plain(part) for page in pages for part in page["Parts"]],
        response_of(s3.list_multipart_uploads, Bucket="lake"),
        response_of(s3.list_multipart_uploads, Bucket="lake", Prefix="other"),
        response_of(s3.list_parts, **at, UploadId="none"),
        completed([{"PartNumber": 1, "ETag": '"other"'}]),
        response_of(s3.abort_multipart_upload, **at, UploadId="none"),
        completed(named[:2]),
        response_of(s3.head_object, **at),
        response_of(s3.upload_part, **at, UploadId=second, PartNumber=1, Body=b"small"),
        response_of(s3.upload_part, **at, UploadId=second, PartNumber=2, Body=b"small"),
    ]
    small = response_of(s3.upload_part, **at, UploadId=second, PartNumber=1, Body=b"small")["ETag"]
    responses.append(completed([{"PartNumber": 1, "ETag": small}, {"PartNumber": 2, "ETag": small}], second))
    responses.append(response_of(s3.abort_multipart_upload, **at, UploadId=second))
    return [*responses, response_of(s3.list_multipart_uploads, Bucket="lake")]


def transfers(tmp: str) -> Responses:
    s3: Any = boto3.client("s3", region_name="eu-west-1")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    with open(f"{tmp}/given", "wb") as given:
        given.write(b"some bytes" * 1000)
    s3.upload_file(f"{tmp}/given", "lake", "file")
    s3.download_file("lake", "file", f"{tmp}/taken")
    with open(f"{tmp}/taken", "rb") as taken:
        return [taken.read(), response_of(s3.head_object, Bucket="lake", Key="file")]


def catalog() -> Responses:
    glue: Any = boto3.client("glue", region_name="eu-west-1")
    storage = {"Columns": [{"Name": "n", "Type": "bigint"}], "Location": "s3://lake/opens/"}
    table = {"Name": "opens", "StorageDescriptor": storage, "PartitionKeys": [{"Name": "dt", "Type": "string"}]}
    at = {"DatabaseName": "lake", "TableName": "opens"}
    days = [{"Values": [f"2024-03-{day:02}"], "StorageDescriptor": storage} for day in range(1, 31)]
    moved = {"Values": ["2024-03-01"], "StorageDescriptor": {**storage, "Location": "s3://lake/moved/"}}
    responses = [
        response_of(glue.get_table, DatabaseName="lake", Name="opens"),
        response_of(glue.create_database, DatabaseInput={"Name": "lake"}),
        response_of(glue.create_database, DatabaseInput={"Name": "lake"}),
        response_of(glue.get_table, DatabaseName="lake", Name="opens"),
        response_of(glue.get_partitions, **at),
        response_of(glue.create_table, DatabaseName="lake", TableInput=table),
        response_of(glue.create_table, DatabaseName="lake", TableInput=table),
        response_of(glue.get_table, DatabaseName="lake", Name="opens"),
        response_of(glue.get_tables, DatabaseName="lake"),
        response_of(glue.update_table, DatabaseName="lake", TableInput={**table, "Description": "another"}),
        response_of(glue.update_table, DatabaseName="lake", TableInput={**table, "Name": "none"}),
        response_of(glue.get_table, DatabaseName="lake", Name="opens"),
        response_of(glue.batch_create_partition, **at, PartitionInputList=days),
        response_of(glue.batch_create_partition, **at, PartitionInputList=days[:2]),
        response_of(glue.batch_update_partition, **at, Entries=[entry(["2024-03-01"], moved), entry(["none"], moved)]),
        response_of(glue.get_partition, **at, PartitionValues=["2024-03-01"]),
        response_of(glue.get_partition, **at, PartitionValues=["none"]),
        response_of(glue.delete_partition, **at, PartitionValues=["none"]),
        response_of(glue.delete_partition, **at, PartitionValues=["2024-03-02"]),
        response_of(glue.get_table, Name="opens"),
    ]
    pages = glue.get_paginator("get_partitions").paginate(**at, ExcludeColumnSchema=True)
    found = {
        partition["Values"][0]: partition["StorageDescriptor"]["Location"]
        for page in pages
        for partition in page["Partitions"]
    }
    responses += [found, response_of(glue.delete_table, DatabaseName="lake", Name="opens")]
    return [*responses, response_of(glue.delete_table, DatabaseName="lake", Name="opens")]


def entry(values: list[str], given: Any) -> Any:
    return {"PartitionValueList": values, "PartitionInput": given}


def ledger() -> Responses:
    client: Any = boto3.client("dynamodb", region_name="eu-west-1")
    names = ("pk", "sk")
    client.create_table(
        TableName="ledger",
        KeySchema=[
            {"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        BillingMode="PAY_PER_REQUEST",
    )

    def item(sk: str, **more: Any) -> Any:
        return {"pk": {"S": "OPENS"}, "sk": {"S": sk}, **more}

    def put(sk: str, condition: str = "", **more: Any) -> Any:
        names = {"#n": "status"} if "#n" in condition else {}
        values = {":a": {"S": "a"}, ":b": {"N": "2"}}
        used = {name: value for name, value in values.items() if name in condition}
        given: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        given |= {"ExpressionAttributeNames": names} if names else {}
        given |= {"ExpressionAttributeValues": used} if used else {}
        return response_of(client.put_item, TableName="ledger", Item=item(sk, **more), **given)

    status: dict[str, Any] = {"status": {"S": "a"}}
    number: dict[str, Any] = {"amount": {"N": "10"}}
    responses = [
        put("1", "attribute_not_exists(pk)", **status),
        put("1", "attribute_not_exists(pk)", **status),
        put("1", "attribute_not_exists(pk) OR #n = :a", **status, **number),
        put("1", "NOT #n = :a", **status),
        put("1", "#n <> :a", **status),
        put("none", "#n <> :a"),
        put("2", "#n < :a OR #n IN (:a)"),
        put("1", "(attribute_exists(pk) AND #n IN (:b, :a)) AND begins_with(#n, :a)", **status, **number),
        put("1", "#n = :b", **status),
        put("1", "amount > :b", **status, **number),
        put("1", "amount < :b", **status, **number),
        response_of(client.get_item, TableName="ledger", Key=item("1"), ConsistentRead=True),
        response_of(client.get_item, TableName="ledger", Key=item("none")),
        response_of(client.get_item, TableName="none", Key=item("1")),
        response_of(client.put_item, TableName="ledger", Item={"pk": {"S": "OPENS"}}),
        response_of(client.put_item, TableName="ledger", Item=item("")),
    ]

    def update(sk: str, expression: str, condition: str | None = None) -> Any:
        given: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        names, values = {"#c": "amount", "#n": "new"}, {":v": {"N": "11"}, ":w": {"S": "w"}}
        return response_of(
            client.update_item,
            TableName="ledger",
            Key=item(sk),
            UpdateExpression=expression,
            ExpressionAttributeNames={name: value for name, value in names.items() if name in expression},
            ExpressionAttributeValues={name: value for name, value in values.items() if name in expression},
            **given,
        )

    responses += [
        update("1", "SET #c = :v, #n = :w"),
        update("1", "SET #c = :v", "attribute_not_exists(pk)"),
        update("made", "SET #c = :v", "attribute_exists(pk)"),
        update("made", "SET #c = :v"),
        response_of(client.get_item, TableName="ledger", Key=item("made")),
    ]
    responses += [put(f"batch#{n}", **status, **number) for n in range(4)]
    query = {
        "TableName": "ledger",
        "KeyConditionExpression": "pk = :p AND begins_with(sk, :s)",
        "ExpressionAttributeValues": {":p": {"S": "OPENS"}, ":s": {"S": "batch#"}},
    }
    between = {**query, "KeyConditionExpression": "pk = :p AND sk BETWEEN :s AND :t"}
    between["ExpressionAttributeValues"] = {":p": {"S": "OPENS"}, ":s": {"S": "batch#1"}, ":t": {"S": "batch#2"}}
    return [
        *responses,
        response_of(client.query, **query),
        response_of(client.query, **query, ScanIndexForward=False, Limit=3),
        response_of(client.query, **between),
        response_of(
            client.delete_item,
            TableName="ledger",
            Key=item("1"),
            ConditionExpression="#n = :a",
            ExpressionAttributeNames={"#n": "new"},
            ExpressionAttributeValues={":a": {"S": "other"}},
        ),
        response_of(client.delete_item, TableName="ledger", Key=item("1")),
        response_of(client.delete_item, TableName="ledger", Key=item("1")),
        len(client.scan(TableName="ledger")["Items"]),
    ]


def secrets() -> Responses:
    client: Any = boto3.client("secretsmanager", region_name="eu-west-1")
    return [
        response_of(client.get_secret_value, SecretId="token"),
        response_of(client.create_secret, Name="token", SecretString="a"),
        response_of(client.create_secret, Name="token", SecretString="a"),
        response_of(client.get_secret_value, SecretId="token"),
        response_of(client.put_secret_value, SecretId="token", SecretBinary=b"b"),
        response_of(client.get_secret_value, SecretId="token"),
    ]
