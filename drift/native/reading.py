"""Reads stored rows: references into profiles, windows into counts and reports. Only workers and commands run it."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from django.db import transaction

from drift.findings import concepts, store
from drift.findings.computed import of_compatible, of_domains, of_estimate, of_performance, of_robust
from drift.findings.concept import ConceptChange, observe
from drift.findings.native import JudgedWindow
from drift.findings.seasons import Season
from drift.measures.columns import Kind
from drift.measures.compatible import scoring as compatible
from drift.measures.domain import classifier
from drift.measures.errors import MeasureError
from drift.measures.labels.performance import MIN_LABELLED
from drift.measures.robust import RECIPE as ROBUST
from drift.measures.robust.profile import count_window, make_profile
from drift.measures.windows import open_window
from drift.measures.windows.files import ParquetWindow
from drift.models import ConceptWatch, DataFile, DataWindow, Model, Reference, ReferenceState, WindowState
from drift.native import computing, files, labelled, selections, watching
from drift.native.labelled import Baseline, Labelled
from drift.native.locking import lock
from drift.native.meanings import Meanings
from drift.native.profiles import profile_for
from drift.sources.records import ReadScore
from fleetledger.fleet import jobs
from fleetledger.fleet.models import Job, JobState
from monitoring.alerts import clock


@contextmanager
def rows_of(file: DataFile) -> Iterator[ParquetWindow]:
    with files.opened(file) as path, open_window(path) as window:
        yield window


def read_reference(reference_id: int) -> str:
    """A worker's reading of a stored reference; a second run of the same does nothing. Gives a sentence."""
    row = Reference.objects.select_related("model__owner", "file", "job").get(pk=reference_id)
    if row.state != ReferenceState.WAITING:
        return f"Reference {row.version} of {row.model} is {ReferenceState(row.state).label.lower()} already."
    try:
        with _working(row.job), rows_of(_file(row)) as window:
            meanings = Meanings.of(row.model)
            _check_columns(window)
            row.profile = make_profile(selections.measured(window, meanings), kinds=dict(meanings.kinds)).to_json()
            row.seasons = _seasons(window, meanings)
            row.baseline = labelled.baseline_of(meanings, labelled.rows_of(window, meanings)).to_json()
            row.rows, row.columns = window.rows, len(row.profile["columns"])
            _keep(row)
    except MeasureError as error:
        Reference.objects.filter(pk=row.pk, state=ReferenceState.WAITING).update(
            state=ReferenceState.UNREADABLE, trouble=str(error)[:1000]
        )
        return f"Reference {row.version} of {row.model} cannot be read: {error}"
    return f"Reference {row.version} of {row.model}: {row.rows} rows, {row.columns} columns, {row.state}."


def read_window(window_id: int) -> str:
    """A worker's computing of a stored window; a second run of the same does nothing. Gives a sentence."""
    row = DataWindow.objects.select_related("model__owner", "reference__file", "file", "job").get(pk=window_id)
    if row.state != WindowState.WAITING or row.file is None or row.reference is None:
        return f"The window {row} is {WindowState(row.state).label.lower()} already."
    try:
        with _working(row.job), rows_of(row.file) as window:
            _check_columns(window)
            _compute(row, row.reference, row.file, window)
    except MeasureError as error:
        DataWindow.objects.filter(pk=row.pk, state=WindowState.WAITING).update(
            state=WindowState.UNREADABLE, trouble=str(error)[:1000], changed_at=clock.now()
        )
        return f"The window {row} cannot be read: {error}"
    store.try_evaluate(row.model_id)
    return f"The window {row}: {row.rows} rows compared with reference {row.reference.version}."


@contextmanager
def _working(job: Job | None) -> Iterator[None]:
    if job is None or job.state not in (JobState.QUEUED, JobState.RUNNING):
        yield
        return
    with jobs.running(job):
        yield


def _file(reference: Reference) -> DataFile:
    if reference.file is None:
        raise MeasureError(
            f"Reference {reference.version} was made of windows, and the recipe needs rows: send a reference as a file."
        )
    return reference.file


def _check_columns(window: ParquetWindow) -> None:
    if not window.rows:
        raise MeasureError("The file has columns but no rows. Send at least one row.")


def _seasons(window: ParquetWindow, meanings: Meanings) -> dict[str, object]:
    if meanings.season is Season.NONE:
        return {}
    hidden = set(meanings.without_measure)
    parts = {
        season: make_profile(part, kinds=dict(meanings.kinds), leave_out=hidden).to_json()
        for season, part in selections.by_season(window, meanings).items()
    }
    return {"season": meanings.season.value, "parts": parts}


@transaction.atomic
def _keep(row: Reference) -> None:
    """A model's first reference is active at once; a later one waits for somebody to accept it."""
    lock(row.model_id)
    held = Reference.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if held.state != ReferenceState.WAITING:
        return
    is_first = not Reference.objects.filter(model_id=row.model_id, state=ReferenceState.ACTIVE).exists()
    row.state = ReferenceState.ACTIVE if is_first else ReferenceState.PROPOSED
    row.save(update_fields=["state", "profile", "seasons", "baseline", "rows", "columns"])


def _compute(row: DataWindow, reference: Reference, file: DataFile, window: ParquetWindow) -> None:
    """Rows that were computed are not kept: what was counted of them is."""
    model, meanings = row.model, Meanings.of(row.model)
    profile = profile_for(model, reference, row.window_from)
    counts = count_window(profile, window)
    judged = computing.judge(row, profile, counts)
    recipe = model.settings.get("recipe", ROBUST)
    drift, note = _drift(judged, reference, window, meanings, recipe=recipe)
    said = labelled.rows_of(window, meanings)
    baseline = Baseline.from_json(reference.baseline)
    scores = (*drift, *_performance(said, baseline, window, meanings))
    with transaction.atomic():
        lock(row.model_id)
        held = DataWindow.objects.select_for_update(of=("self",)).get(pk=row.pk)
        if held.state != WindowState.WAITING:
            return
        computing.settle(row, counts, scores, recipe=recipe, note=note)
        _watch(row, said, baseline, meanings)
        files.forget(file)


def _drift(
    judged: JudgedWindow, reference: Reference, window: ParquetWindow, meanings: Meanings, *, recipe: str
) -> tuple[tuple[ReadScore, ...], str]:
    """Scores with the facts of the data, and what could not be scored. The reference's rows are read where needed."""
    is_compatible = recipe == compatible.RECIPE
    scores = of_robust(JudgedWindow((), judged.facts, judged.readings) if is_compatible else judged)
    if not is_compatible:
        return (*scores, *_domains(reference, window, meanings)), ""
    with rows_of(_file(reference)) as held:
        found = compatible.score_window(selections.measured(held, meanings), window)
    refused = "; ".join(f"{name}: {why}" for name, why in found.refused)
    return (*of_compatible(found), *scores), f"Not scored: {refused}" if refused else ""


def _domains(reference: Reference, window: ParquetWindow, meanings: Meanings) -> tuple[ReadScore, ...]:
    """Texts and embeddings: the profile names them, and the rows of the reference say what they were."""
    kinds = {one["buckets"]["name"]: one["buckets"]["kind"] for one in reference.profile["columns"]}
    wanted = [name for name, kind in kinds.items() if kind in (Kind.TEXT, Kind.VECTOR) and name in window.names]
    if not wanted or reference.file is None:
        return ()
    scored: list[classifier.DomainScore] = []
    with rows_of(reference.file) as held:
        for name in wanted:
            mine = held.column(name, meanings.kinds.get(name))
            try:
                scored.append(classifier.score(mine, window.column(name, mine.kind)))
            except MeasureError:
                continue  # too few rows or none: the facts about the column say so
    return of_domains(scored)


def _performance(
    said: Labelled | None, baseline: Baseline, window: ParquetWindow, meanings: Meanings
) -> tuple[ReadScore, ...]:
    """Of labels where there are enough, else estimated from scores."""
    if said is not None and len(said) >= MIN_LABELLED:
        return of_performance(baseline.metrics, labelled.metrics_of(meanings, said))
    found = labelled.estimated(baseline, labelled.scores_of(window, meanings)) if baseline.calibration else None
    return of_estimate(baseline.metrics, found) if found is not None and np.isfinite(found.auc) else ()


def _watch(row: DataWindow, said: Labelled | None, baseline: Baseline, meanings: Meanings) -> None:
    """Labels of a file go through the watch once and in the order of time: those of an earlier file come too late."""
    losses = labelled.losses_of(meanings, said, baseline) if said is not None else None
    if losses is None:
        return
    held, _ = ConceptWatch.objects.select_for_update().get_or_create(model_id=row.model_id)
    if held.until is not None and row.window_from < held.until:
        return
    watch, changes = observe(watching.load(held.state), losses.tolist())
    held.state, held.rows, held.until = watching.packed(watch), held.rows + len(losses), row.window_to
    held.save(update_fields=["state", "rows", "until"])
    _record(row.model, changes)


def _record(model: Model, changes: tuple[ConceptChange, ...]) -> None:
    if changes:
        concepts.record(model.pk, changes)
