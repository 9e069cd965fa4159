"""BatchCount: when so many batches have passed that it is time to save again."""

from __future__ import annotations


class BatchCount:
    """Counts the batches of training since the last time that they were `frequency`.

    'epoch': they never are. `state`: for the file of a training's state.
    """

    def __init__(self, frequency: str | int):
        self.frequency = frequency
        self.state = [0, -1]  # batches that were counted; the number of the last one

    def is_full_at(self, batch: int) -> bool:
        """Count up to `batch` of the epoch: there may be several since the last call."""
        if self.frequency == "epoch":
            return False
        counted, last = self.state
        counted += batch - last if batch > last else batch + 1  # of a new epoch
        full = counted >= int(self.frequency)
        self.state = [0 if full else counted, batch]
        return full
