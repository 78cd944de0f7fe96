"""The statistics of a comparison: is one evaluation better than another, and how sure is that?

Owns the arithmetic and nothing else: numpy and scipy in, numbers out. Knows no suite, store, HTTP or MLflow, and does
not decide whether two evaluations may be compared at all.

**Items are the sample** everywhere: the scores of several seeds of one item are averaged before anything is estimated,
because seeds of one sentence are no new evidence about sentences. Each interval was chosen by its measured coverage
(benchmarks/evidence/calibration.py, docs/statistics.md).
"""
