"""Numbers about verdicts: scores with their intervals, thresholds, comparison, stability, and the charts of them."""
