"""DuckDB: migrations and queries; the only SQL.

`open_store(workspace)` returns the `Store`; its methods lie in a file per concern: `datasets`, `runs`,
`decisions`, `explore`, `review`, ….
"""

from diet_core.store.audit import Audit, previous_audited
from diet_core.store.audit_result import AuditResult
from diet_core.store.datasets import DatasetSummary
from diet_core.store.filters import ExampleFilter
from diet_core.store.review import SUSPECTS, ReviewProgress
from diet_core.store.runs import RunRecord
from diet_core.store.store import Store, open_store

__all__ = [
    "SUSPECTS",
    "Audit",
    "AuditResult",
    "DatasetSummary",
    "ExampleFilter",
    "ReviewProgress",
    "RunRecord",
    "Store",
    "open_store",
    "previous_audited",
]
