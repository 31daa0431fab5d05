"""Standard input into an object, as boto3 does it by itself: `plain_upload.py BUCKET KEY`."""

import sys

import boto3

boto3.client("s3").upload_fileobj(sys.stdin.buffer, sys.argv[1], sys.argv[2])
