"""What parliament finds in the policies of a template, less what is accepted with a reason.

cdk-nag looks for stars and cfn-lint at the template's types; parliament knows IAM itself: which actions there are,
which resources and conditions each takes, and which of them open other doors (its community auditors). Chosen over
checkov, which repeats cdk-nag, brings a hundred packages and wants another boto3; and over cloudsplaining, which looks
for statements without a resource, of which there are none here. It needs no network, a second, and 12 MB.
"""

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from infra.policies import Grant

with warnings.catch_warnings():
    # It imports pkg_resources, which warns of its own end.
    warnings.simplefilter("ignore")
    from parliament import analyze_policy_string

_OTHER_KINDS = (
    "It asks for every kind of execution that the action takes; the machine is a standard one, without map runs."
)
ACCEPTED: Mapping[str, str] = {
    "plan_run: RESOURCE_MISMATCH: states:DescribeExecution": _OTHER_KINDS,
    "watch_runs: RESOURCE_MISMATCH: states:DescribeExecution": _OTHER_KINDS,
    "watch_runs: RESOURCE_MISMATCH: states:ListExecutions": _OTHER_KINDS,
    "write_report: RESOURCE_MISMATCH: states:ListExecutions": _OTHER_KINDS,
    "state machine: PERMISSIONS_MANAGEMENT_ACTIONS: logs:putresourcepolicy": "Every machine that logs needs it: "
    "https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html. It grants nothing but the writing of logs.",
}
"""Accepted findings, each with its reason; the exact finding alone."""


def findings(grants: Iterable[Grant]) -> list[str]:
    """The findings, as `NAME: ISSUE: ACTION`."""
    return [
        f"{grant.name}: {finding.issue}: {about}"
        for grant in grants
        if grant.statements
        for finding in analyze_policy_string(json.dumps(grant.document()), include_community_auditors=True).findings
        for about in _about(finding)
    ]


def _about(finding: Any) -> Iterator[str]:
    """The actions that a finding is about; its details where it names none."""
    if isinstance(finding.detail, list):
        yield from (str(one["action"] if isinstance(one, dict) else one) for one in finding.detail)
    elif "actions" in finding.location:
        yield from map(str, finding.location["actions"])
    else:
        yield str(finding.detail)
