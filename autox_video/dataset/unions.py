"""Sets that are joined two at a time."""

from __future__ import annotations


class Unions:
    """Numbers from 0, each in a set of its own until sets are joined.

    Args:
        count: How many numbers there are.
    """

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def join(self, one: int, other: int) -> None:
        """Make one set of the sets of two numbers."""
        first, second = sorted((self.find(one), self.find(other)))
        self._above[second] = first

    def find(self, number: int) -> int:
        """The smallest number of the set of this one."""
        while (above := self._above[number]) != number:
            self._above[number] = self._above[above]
            number = above
        return number

    def sets(self) -> list[list[int]]:
        """All sets, each in rising order, by their smallest number."""
        members: dict[int, list[int]] = {}
        for number in range(len(self._above)):
            members.setdefault(self.find(number), []).append(number)
        return list(members.values())
