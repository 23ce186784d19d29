"""What every test shares: the environment that a deployed function would find.

Handlers read their settings when they are imported, as Lambda's cold start does, so the
environment stands before any test module is collected. Building a client calls nobody.
"""

import os

from hypothesis import HealthCheck, settings

os.environ.update(
    {
        "API_ID": "abc123",
        "STAGE": "live",
        "REGISTRY_TABLE": "registry",
        "LEDGER_TABLE": "deliveries",
        "REQUESTS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/requests",
        "PLANS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/plans",
        "SHARDS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/shards",
        "SHARDS_FAILED_URL": "https://sqs.us-east-1.amazonaws.com/1/failed",
        "REPORTS_URI": "s3://reports/reports/v1",
        "REPORTS_BUCKET": "reports",
        "DIGEST_TOPIC": "arn:aws:sns:us-east-1:1:digests",
        "MANAGEMENT_ENDPOINT": "http://127.0.0.1:9/live",
        "ALLOWED_ORIGINS": "https://app.example.com",
        "JWT_ISSUER": "https://issuer.example.com",
        "JWT_AUDIENCE": "socketwatch",
        "JWT_JWKS_URL": "",
        "JWT_PUBLIC_KEY": "",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
)
for name in ("AWS_ENDPOINT_URL", "POWERTOOLS_SERVICE_NAME", "AWS_PROFILE"):
    os.environ.pop(name, None)

# A fresh checkout builds hypothesis's tables while the first example runs, and a busy machine is
# slow: neither says anything about what is tested.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")
