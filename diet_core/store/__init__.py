"""DuckDB: migrations and queries; the only SQL.

`open_store(workspace)` returns the `Store`; its methods lie in a file per concern: `datasets`, `runs`,
`decisions`, `explore`, `queues`, ….
"""

from diet_core.store.decisions.audit import Audit
from diet_core.store.decisions.audit_result import AuditResult
from diet_core.store.decisions.batches import BatchPreview
from diet_core.store.decisions.events import DeskEvent, Receipt
from diet_core.store.decisions.queues import Queue, QueueDefinition, QueueProgress
from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.datasets import DatasetSummary
from diet_core.store.loading.runs import RunRecord
from diet_core.store.store import Store, open_store

__all__ = [
    "Audit",
    "AuditResult",
    "BatchPreview",
    "DatasetSummary",
    "DeskEvent",
    "ExampleFilter",
    "Queue",
    "QueueDefinition",
    "QueueProgress",
    "Receipt",
    "RunRecord",
    "Store",
    "open_store",
]
