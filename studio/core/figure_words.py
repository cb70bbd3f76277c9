"""What the figures of an evaluation are called and mean, in words for window, terminal, report and charts."""

from __future__ import annotations

FIGURES: dict[str, tuple[str, str]] = {
    "accuracy": ("Accuracy", "How much of what was judged came out right."),
    "decision_accuracy": (
        "Right decision",
        "Examples whose decision is the expected one. No verdict counts as not right.",
    ),
    "precision": ("Precision", "Of what was flagged as violating, how much does violate."),
    "recall": ("Recall", "Of what violates, how much was flagged."),
    "specificity": ("Rightly left alone", "Of what does not violate, how much was not flagged (specificity)."),
    "f1": ("F1", "The harmonic mean of precision and recall."),
    "fpr": ("Wrongly flagged", "Of what does not violate, how much was flagged (false positive rate)."),
    "fnr": ("Missed", "Of what violates, how much was not flagged (false negative rate)."),
    "balanced_accuracy": ("Balanced accuracy", "The mean of recall and specificity: the rarer side counts as much."),
    "mcc": ("MCC", "Matthews' correlation of expected and got: 1 is perfect, 0 is chance."),
    "kappa": ("Kappa", "Cohen's kappa: agreement beyond chance, 1 is perfect."),
    "decision_macro_f1": ("F1 over decisions", "The mean of F1 over the decisions, each counted alike."),
    "exact_match": ("All labels right", "Verdicts whose labels are exactly the expected ones."),
    "micro_precision": ("Label precision", "Of all labels that were given, how many are expected."),
    "micro_recall": ("Label recall", "Of all labels that are expected, how many were given."),
    "micro_f1": ("Label F1", "The harmonic mean of label precision and label recall."),
    "macro_precision": ("Precision, label by label", "The mean of precision over the labels, each counted alike."),
    "macro_recall": ("Recall, label by label", "The mean of recall over the labels, each counted alike."),
    "macro_f1": ("F1, label by label", "The mean of F1 over the labels, each counted alike."),
    "no_verdict": ("No verdict", "Judgements that gave no verdict. They stand apart and are never read as one."),
    "changed": ("Changed on repeat", "Examples whose repeats do not all agree."),
    "flip_rate": ("Flip rate", "The share of an example's repeats that differ from most of them, on average."),
    "ece": (
        "Calibration error",
        "How far the probability is from what happens, on average over its range: 0 is perfect (ECE).",
    ),
    "brier": ("Brier score", "The mean squared distance of the probability from what is so: 0 is perfect."),
}
"""What each figure is called for people, and what it says."""


def figure_name(key: str) -> str:
    """A figure's name for people, such as ``Missed`` for ``fnr``; one without a name of its own is its key in words."""
    name, _, of = key.partition("[")
    known = FIGURES[name][0] if name in FIGURES else name[:1].upper() + name[1:].replace("_", " ")
    return f"{known}: {of.removesuffix(']').replace('_', ' ')}" if of else known
