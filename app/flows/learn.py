"""The model learns: labelled texts come in.

Knows what becomes of labels. Refuses to know who gives them (label) and how a model is trained.
"""

from collections.abc import Sequence

from app.runtime import Unit
from app.topics.labels.labelling import Labelling
from app.topics.labels.store import record_imported


async def take_in(unit: Unit, labels: Sequence[Labelling]) -> int:
    """Keep labels of texts that stand nowhere else; returns how many are new."""
    return await record_imported(unit.tx, labels)
