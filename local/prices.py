"""List prices in US dollars, US East (N. Virginia), without any free tier, as published in late 2025.

They have not been checked since; the page of each stands beside it.
Europe (Ireland) costs the same for Lambda, Step Functions and Athena, and up to 15 % more for the rest. Change a number
here and run `python -m benchmarks.page`, and the page follows.
"""

READ_ON = "late 2025"

# https://aws.amazon.com/lambda/pricing/ (arm64; disk beyond 512 MB)
LAMBDA_GB_SECOND = 0.0000133334
LAMBDA_DISK_GB_SECOND = 0.0000000309
LAMBDA_REQUEST = 0.20 / 1e6
# https://aws.amazon.com/step-functions/pricing/ (standard workflows)
STATE_TRANSITION = 0.025 / 1000
# https://aws.amazon.com/s3/pricing/ (standard; PUT stands for POST and LIST as well)
S3_PUT = 0.005 / 1000
S3_GET = 0.0004 / 1000
S3_GB_MONTH = 0.023
# https://aws.amazon.com/dynamodb/pricing/on-demand/
DYNAMODB_WRITE = 0.625 / 1e6
DYNAMODB_READ = 0.125 / 1e6
# https://aws.amazon.com/cloudwatch/pricing/ (a metric is paid for by the hour in which it is sent)
METRIC_HOUR = 0.30 / 720
ALARM_MONTH = 0.10
LOG_GB = 0.50
# https://aws.amazon.com/secrets-manager/pricing/
SECRET_MONTH = 0.40
SECRET_CALL = 0.05 / 10_000
# https://aws.amazon.com/kms/pricing/ (only with the team's own key)
KEY_MONTH = 1.00
# https://aws.amazon.com/athena/pricing/
ATHENA_TB = 5.00
# https://aws.amazon.com/glue/pricing/: the catalog's first million objects and requests a month are free, and a lake of
# ten tables with ten years of days has 22,000 partitions.
GLUE_CATALOG = 0.0
