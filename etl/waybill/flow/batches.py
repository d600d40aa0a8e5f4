"""Batches of objects: one load each, of one account and of bounded size."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from waybill.landing.objects import LandedObject
from waybill.ledger.objects import RecordedObject

BATCH_BYTES = 256 << 20
BATCH_OBJECTS = 2_000

Batched = TypeVar("Batched", LandedObject, RecordedObject)


def batches(items: Iterable[Batched]) -> Iterator[list[Batched]]:
    """Yield batches of landed objects, recorded or not, in their order."""
    batch: list[Batched] = []
    byte_count = 0
    for item in items:
        landed = _landed_of(item)
        is_full = byte_count + landed.byte_count > BATCH_BYTES or len(batch) >= BATCH_OBJECTS
        if batch and (is_full or landed.account != _landed_of(batch[0]).account):
            yield batch
            batch, byte_count = [], 0
        batch.append(item)
        byte_count += landed.byte_count
    if batch:
        yield batch


def _landed_of(item: Batched) -> LandedObject:
    return item.landed if isinstance(item, RecordedObject) else item
