"""Answers of SciPy and of brute force to the questions in a file, one JSON list a line: the oracle of StatisticsTests."""
import itertools
import json
import sys

import numpy
from scipy import stats


def rank_sums(first, pooled):
    """The Mann-Whitney statistic of every way to choose the first sample from the pooled values."""
    ranks = stats.rankdata(pooled)
    chosen = numpy.array(list(itertools.combinations(range(len(pooled)), first)))
    return ranks[chosen].sum(axis=1) - first * (first + 1) / 2


def mann_whitney(x, y, alternative):
    """By brute force over all assignments, which is what the exact test given ties means."""
    every = rank_sums(len(x), x + y)
    observed = stats.rankdata(x + y)[: len(x)].sum() - len(x) * (len(x) + 1) / 2
    less = float(numpy.mean(every <= observed + 1e-9))
    greater = float(numpy.mean(every >= observed - 1e-9))
    return {"less": less, "greater": greater, "two-sided": min(1.0, 2 * min(less, greater))}[alternative]


def scipy_mann_whitney(x, y, alternative, method):
    result = stats.mannwhitneyu(x, y, alternative=alternative, method=method, use_continuity=True)
    return [float(result.statistic), float(result.pvalue)]


def permutation(x, y, alternative):
    """SciPy's own exact permutation of the statistic, ties and all."""
    method = stats.PermutationMethod(n_resamples=10**9)
    return float(stats.mannwhitneyu(x, y, alternative=alternative, method=method).pvalue)


def statistic_counts(n, m):
    """How many arrangements have each statistic, by the recurrence of Mann and Whitney."""
    table = {}
    for i in range(n + 1):
        for j in range(m + 1):
            counts = numpy.zeros(n * m + 1)
            if i == 0 or j == 0:
                counts[0] = 1
            else:
                counts[j:] += table[i - 1, j][: n * m + 1 - j]
                counts += table[i, j - 1]
            table[i, j] = counts
    return table[n, m]


def shift(x, y, tail):
    differences = numpy.sort(numpy.subtract.outer(y, x).ravel())
    counts = statistic_counts(len(x), len(y))
    below = numpy.cumsum(counts) / counts.sum()
    excluded = [u for u in range(len(below)) if below[u] <= tail * (1 + 1e-12)]
    estimate = float(numpy.median(differences))
    if not excluded:
        return [estimate, None, None]
    return [estimate, float(differences[excluded[-1]]), float(differences[-1 - excluded[-1]])]


def holm(p):
    order = sorted(range(len(p)), key=lambda i: p[i])
    adjusted, largest = [0.0] * len(p), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = largest
    return adjusted


def signed_rank(differences):
    """By brute force over all signs; differences of zero are left out."""
    values = numpy.array([d for d in differences if d != 0])
    if len(values) == 0:
        return 1.0
    ranks = stats.rankdata(abs(values))
    signs = numpy.array(list(itertools.product([0, 1], repeat=len(values))))
    return float(numpy.mean(signs @ ranks >= ranks[values > 0].sum() - 1e-9))


def sessions(old, new, margin):
    """The pooled-variance t test of session means."""
    shifted = [value - margin for value in new]
    interval = stats.ttest_ind(new, old, equal_var=True).confidence_interval(0.9)
    return [
        float(stats.ttest_ind(shifted, old, equal_var=True, alternative="greater").pvalue),
        float(stats.ttest_ind(shifted, old, equal_var=True, alternative="less").pvalue),
        float(interval.low),
        float(interval.high),
    ]


answers = {
    "brute": lambda x, y, a: mann_whitney(x, y, a),
    "scipy": lambda x, y, a, method: scipy_mann_whitney(x, y, a, method),
    "permutation": permutation,
    "shift": shift,
    "t-tail": lambda value, degrees: float(stats.t.sf(value, degrees)),
    "t-quantile": lambda tail, degrees: float(stats.t.isf(tail, degrees)),
    "holm": holm,
    "bh": lambda p: [float(v) for v in stats.false_discovery_control(p)],
    "signed": signed_rank,
    "wilcoxon": lambda d: float(stats.wilcoxon(d, alternative="greater", method="exact").pvalue),
    "sessions": sessions,
}
with open(sys.argv[1]) as questions:
    for line in questions:
        name, *arguments = json.loads(line)
        answer = answers[name](*arguments)
        # Numbers separated by spaces; a bound that does not exist is a dash.
        values = answer if isinstance(answer, list) else [answer]
        print(" ".join("-" if value is None else repr(value) for value in values))
