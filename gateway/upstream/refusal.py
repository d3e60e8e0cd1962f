"""A service's refusal of a request, handed on as it is: its problem was written for the caller."""

from shared.schemas.system import Problem


class Refused(Exception):
    def __init__(self, problem: Problem, retry_after_s: int | None) -> None:
        super().__init__(problem.title)
        self.problem = problem
        self.headers = None if retry_after_s is None else {"Retry-After": str(retry_after_s)}
