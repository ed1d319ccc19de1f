"""Work done ahead in a thread, in order, and never far ahead."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

AHEAD = 2

Given = TypeVar("Given")
Made = TypeVar("Made")


def ahead(function: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
    """The function's results in order, made by one thread while who takes them does something else.

    At most AHEAD results wait, so that memory stays bounded whatever is given.
    """
    made: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="bill") as pool:
        for each in given:
            made.append(pool.submit(function, each))
            if len(made) > AHEAD:
                yield made.popleft().result()
        while made:
            yield made.popleft().result()
