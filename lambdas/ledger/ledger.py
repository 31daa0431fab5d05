"""The ledger of one export type, as steps get it: claims and the lease, orders and batches, the run history."""

from typing import TYPE_CHECKING

from lambdas.ledger.claims_and_lease import Claims
from lambdas.ledger.history import RunHistory
from lambdas.ledger.orders import Orders
from lambdas.vocabulary import ExportType

if TYPE_CHECKING:
    from types_boto3_dynamodb.service_resource import Table


class Ledger(Claims, Orders, RunHistory):
    """All that is remembered of an export type. Each part has a file of its own; `items.py` lists the sort keys."""

    def __init__(self, table: "Table", export: ExportType) -> None:
        super().__init__(table, export.name)
