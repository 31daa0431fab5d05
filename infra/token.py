"""The secret that holds the Symplify token: a new one with a placeholder, or one that exists."""

from aws_cdk import CfnOutput, SecretValue
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.nag_suppressions import accept
from infra.settings import Settings

# `lambdas/symplify/token.py` recognises it and says what to do.
PLACEHOLDER = "replace-me"


class TokenSecret(Construct):
    """The secret, by whose ARN the functions read the token."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        if settings.token_secret_arn:
            self.arn = settings.token_secret_arn
            return
        # Unnamed: Secrets Manager reserves a deleted name for weeks, and a second deployment would fail.
        secret = secretsmanager.CfnSecret(
            self,
            "Secret",
            description=f"The Symplify API token of {settings.stack_name}",
            kms_key_id=settings.kms_key_arn or None,
            secret_string=SecretValue.unsafe_plain_text(PLACEHOLDER).unsafe_unwrap(),
        )
        accept(secret, "AwsSolutions-SMG4", "Only Symplify can issue a new token, so no function can rotate it.")
        # The ARN attribute: an emulator of AWS may resolve the Ref to the name.
        self.arn = secret.attr_id
        CfnOutput(
            self,
            "SetToken",
            description="Run this with your token once",
            value=f"aws secretsmanager put-secret-value --secret-id {self.arn} --secret-string YOUR_TOKEN",
        )
