"""Makes the bucket that the settings name, unless it is there."""

import os

import boto3

client = boto3.client(
    "s3",
    endpoint_url=os.environ["MOVIEQL_STORE_ENDPOINT_URL"],
    region_name=os.environ.get("MOVIEQL_STORE_REGION", "eu-west-1"),
)
bucket = os.environ["MOVIEQL_STORE_BUCKET"]
if bucket not in {each["Name"] for each in client.list_buckets()["Buckets"]}:
    client.create_bucket(
        Bucket=bucket,
        CreateBucketConfiguration={
            "LocationConstraint": client.meta.region_name  # type: ignore[typeddict-item]  # any text
        },
    )
