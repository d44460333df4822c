from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils import timezone

from folio.tasks.leases import leases
from folio.tasks.models import State, Task
from folio.tasks.registry import kinds
from folio.tasks.runner import Runner

SHOWN = 1_000  # tasks; a list that nobody reads to its end
INTERRUPTED = 130  # the exit status of a command that Ctrl+C has ended


class Command(BaseCommand):
    help = "Do what the server is to do later and is due; --list shows what waits and what failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--list", action="store_true", help="show what waits, runs and failed, and do nothing")
        what.add_argument("--retry", action="store_true", help="do what failed once more, with new attempts")
        what.add_argument("--forget", action="store_true", help="forget what failed, and do nothing")

    def handle(self, *, list: bool, retry: bool, forget: bool, **options: Any) -> None:
        failed = Task.objects.filter(state=State.FAILED)
        if list:
            self.show(Task.objects.order_by("due_at", "pk"))
        elif forget:
            count, _ = failed.delete()
            self.stdout.write(f"Forgotten: {count}.")
        else:
            if retry:
                renew(failed)
            self.run()

    def run(self) -> None:
        before = set(Task.objects.filter(state=State.FAILED).values_list("pk", flat=True))
        runner = Runner()
        try:
            count = runner.run_due()
            runner.accompany()
        except KeyboardInterrupt:
            raise CommandError("Interrupted. What was being done is done again.", returncode=INTERRUPTED) from None
        finally:
            runner.close()
        waiting = Task.objects.exclude(state=State.FAILED).count()
        failed = Task.objects.filter(state=State.FAILED).exclude(pk__in=before).count()
        told = f"Attempts: {count}, waiting: {waiting}"
        if failed:
            raise CommandError(f"{told}, failed for good: {failed}. See `folio runtasks --list`.")
        self.stdout.write(self.style.SUCCESS(f"{told}."))

    def show(self, tasks: QuerySet[Task]) -> None:
        for task in tasks[:SHOWN]:
            self.stdout.write(f"{task.pk}  {task.name}{f'  {task.key}' if task.key else ''}: {told(task)}")
        count = tasks.count()
        if count > SHOWN:
            self.stdout.write(f"… and {count - SHOWN} more")
        if not count:
            self.stdout.write("Nothing waits, and nothing failed.")


def renew(failed: QuerySet[Task]) -> None:
    """Have what failed wait anew; where another one of its key waits already, that one is enough."""
    for task in failed:
        if task.key is not None and Task.objects.filter(key=task.key, state=State.WAITING).exists():
            task.delete()
        else:
            failed.filter(pk=task.pk).update(state=State.WAITING, attempts=0, due_at=timezone.now(), error="")


def told(task: Task) -> str:
    """Return how it stands with a task; whether it runs, its lease alone tells."""
    error = f". {task.error}" if task.error else ""
    if task.state == State.FAILED:
        return f"failed after {attempts(task)}, the last at {task.started_at:%Y-%m-%d %H:%M:%S} UTC{error}"
    if task.state == State.RUNNING and is_run(task):
        return f"runs since {task.started_at:%Y-%m-%d %H:%M:%S} UTC, attempt {task.attempts}"
    due = "is due" if task.due_at <= timezone.now() else f"due at {task.due_at:%Y-%m-%d %H:%M:%S} UTC"
    if task.state == State.RUNNING:
        due = "its worker died, is due again"
    unknown = "" if task.name in kinds else ", by a function that this version has not"
    return f"{due}{f', after {attempts(task)}' if task.attempts else ''}{unknown}{error}"


def attempts(task: Task) -> str:
    return "1 attempt" if task.attempts == 1 else f"{task.attempts} attempts"


def is_run(task: Task) -> bool:
    lease = leases()
    try:
        return not lease.take(task.pk)
    finally:
        lease.free()
        lease.close()
