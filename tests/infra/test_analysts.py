"""The analysts' policy: what Athena's console and queries call, on the tables alone, and nothing of `raw/`."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.infra.synthesis import Template, synthesized

# AWS's own examples: https://docs.aws.amazon.com/athena/latest/ug/example-policies-workgroup.html (one workgroup), and
# fine-grained-access-to-glue-resources.html there (Glue's `default` database, which every query looks into).
ON_ANYTHING = {"ListWorkGroups", "ListEngineVersions", "ListDataCatalogs"}
ON_THE_CATALOG = {"GetDataCatalog", "ListDatabases", "GetDatabase", "ListTableMetadata", "GetTableMetadata"}
ON_THE_WORKGROUP = {
    *("GetWorkGroup", "StartQueryExecution", "StopQueryExecution", "GetQueryExecution", "BatchGetQueryExecution"),
    *("ListQueryExecutions", "GetQueryResults", "GetQueryResultsStream", "GetQueryRuntimeStatistics"),
    *("CreateNamedQuery", "GetNamedQuery", "BatchGetNamedQuery", "ListNamedQueries", "DeleteNamedQuery"),
    *("CreatePreparedStatement", "GetPreparedStatement", "ListPreparedStatements", "UpdatePreparedStatement"),
    "DeletePreparedStatement",
}


def managed_policy(template: Template) -> Mapping[str, Any]:
    (policy,) = template.find_resources("AWS::IAM::ManagedPolicy").values()
    return dict(policy["Properties"])


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements_for(template: Template, action: str) -> list[dict[str, Any]]:
    statements = managed_policy(template)["PolicyDocument"]["Statement"]
    return [statement for statement in statements if action in listed(statement["Action"])]


@pytest.mark.parametrize(
    ("actions", "resource"),
    [(ON_ANYTHING, '"*"'), (ON_THE_CATALOG, ":datacatalog/AwsDataCatalog"), (ON_THE_WORKGROUP, ":workgroup/")],
)
def test_analysts_may_what_athenas_console_calls(template: Template, actions: set[str], resource: str) -> None:
    for action in actions:
        (statement,) = statements_for(template, f"athena:{action}")
        assert resource in json.dumps(statement["Resource"])


def test_analysts_see_the_stacks_database_and_the_default_one_that_athena_looks_into(template: Template) -> None:
    for action in ("glue:GetDatabase", "glue:GetDatabases"):
        (statement,) = statements_for(template, action)
        resources = json.dumps(statement["Resource"])
        for name in ("catalog", "database/default", "database/symplify_lake"):
            assert f':{name}"' in resources


def test_analysts_list_tables_and_results_and_not_what_has_landed(template: Template) -> None:
    (statement,) = statements_for(template, "s3:ListBucket")
    assert statement["Condition"] == {"StringLike": {"s3:prefix": ["curated/*", "reports/*", "athena-results/*"]}}
    for statement in statements_for(template, "s3:GetObject"):
        assert not any(folder in json.dumps(statement["Resource"]) for folder in ("raw/", "quarantine/"))


def test_stacks_of_one_name_in_two_regions_have_policies_of_different_names(template: Template) -> None:
    name = managed_policy(template)["ManagedPolicyName"]
    assert name == {"Fn::Join": ["", ["symplify-lake-", {"Ref": "AWS::Region"}, "-analysts"]]}


def test_the_policys_description_never_changes_since_a_policy_of_a_fixed_name_cannot_be_replaced() -> None:
    wanted = "Query the tables of brand_b in the workgroup brand-b"
    assert managed_policy(synthesized(stackName="brand-b"))["Description"] == wanted
