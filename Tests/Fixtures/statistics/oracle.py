"""Answers of SciPy and of brute force to the questions in a file, one JSON list a line: the oracle of StatisticsTests."""
import itertools
import json
import sys

import numpy
from scipy import special, stats


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


def criteria_of_sessions(row):
    """Mean, median and upper quartile of sessions by the t test, with the cautions that the method states."""
    found = []
    for kind in ("typical", "mean", "slowest"):
        take = {
            "typical": numpy.median, "mean": numpy.mean, "slowest": lambda runs: numpy.quantile(runs, 0.75)
        }[kind]
        old, new = ([float(numpy.log(take(session))) for session in row[side]] for side in ("old", "new"))
        n, m = len(old), len(new)
        variance = (numpy.var(old) * n + numpy.var(new) * m) / (n + m - 2)
        square = max(variance, row["least"] ** 2) * 1.9 * (1 / n + 1 / m)
        sampling = 0.0
        for side, count in (("old", n), ("new", m)):
            if kind == "mean":
                parts = [numpy.var(s, ddof=1) / len(s) / numpy.mean(s) ** 2 for s in row[side]]
            else:
                away = [abs(numpy.log(s) - numpy.median(numpy.log(s))) for s in row[side]]
                scatter = 1.4826 * numpy.median(numpy.concatenate(away))
                factor = numpy.pi / 2 if kind == "typical" else 1.857
                parts = [factor * scatter**2 / len(s) for s in row[side]]
            sampling += numpy.mean(parts) / count
        error = numpy.sqrt(max(square, sampling))
        law = stats.t(n + m - 2)
        estimate = numpy.mean(new) - numpy.mean(old)
        found.append((
            estimate, lambda x, e=estimate, s=error, t=law: t.sf((e - x) / s),
            lambda x, e=estimate, s=error, t=law: t.cdf((e - x) / s),
            lambda tail, e=estimate, s=error, t=law: (e - t.isf(tail) * s, e + t.isf(tail) * s),
        ))
    shares = numpy.arange(1, 1000) / 1000
    chance = float(numpy.max((1 - shares) ** len(row["old"]) * shares ** len(row["new"])))
    return found, chance


def criteria_of_pairs(row):
    old, new = row["old"][0], row["new"][0]
    a, b = numpy.log(old), numpy.log(new)
    moved = lambda x, side: stats.mannwhitneyu(b - x, a, alternative=side, method="exact").pvalue
    typical = (
        float(numpy.median(numpy.subtract.outer(b, a))), lambda x: moved(x, "greater"),
        lambda x: moved(x, "less"), lambda tail: tuple(shift(list(a), list(b), tail)[1:]),
    )

    def mean(x, sign):
        ratio = numpy.exp(x)
        # Welch's test of the new values and as many times the old ones; no deviation below a thousandth of the mean.
        parts = []
        for values, times in ((new, 1), (old, ratio)):
            least = (0.001 * numpy.mean(values)) ** 2
            parts.append((times**2 * max(numpy.var(values, ddof=1), least) / len(values), len(values) - 1))
        square = parts[0][0] + parts[1][0]
        law = stats.t(square**2 / sum(v**2 / d for v, d in parts))
        score = (numpy.mean(new) - ratio * numpy.mean(old)) / numpy.sqrt(square)
        return law.sf(score) if sign > 0 else law.cdf(score)

    share = 1 / 3 if len(a) < 20 else 0.25 if len(a) < 60 else 0.1

    def slowest(x, sign):
        part = int(numpy.floor(share * (len(a) + len(b)) + 0.5))
        order = numpy.argsort(numpy.concatenate([a, b - x]))[-part:]
        of_new = int((order >= len(a)).sum())
        law = stats.hypergeom(len(a) + len(b), len(b), part)
        return law.sf(of_new - 1) if sign > 0 else law.cdf(of_new)

    quantiles = numpy.quantile(b, 1 - share) - numpy.quantile(a, 1 - share)
    return [
        typical, (numpy.log(numpy.mean(new) / numpy.mean(old)), lambda x: mean(x, 1), lambda x: mean(x, -1)),
        (quantiles, lambda x: slowest(x, 1), lambda x: slowest(x, -1)),
    ], 0.0


def family(design, rows, rate):
    """Verdicts of a family, each row with its probabilities and bounds."""
    tests, worse, better, within = [], [], [], []
    for row in rows:
        found, chance = (criteria_of_sessions if design == "sessions" else criteria_of_pairs)(row)
        level = numpy.exp(numpy.mean([numpy.log(numpy.median(s)) for s in row["old"]]))
        margin = numpy.log1p(max(row["budget"] / 100, row["floor"] / level))
        shares = (0.5, 0.25, 0.25)
        worse.append(min(1, max(chance, min(f[1](margin) / s for f, s in zip(found, shares)))))
        better.append(min(1, max(chance, min(f[2](-margin) / s for f, s in zip(found, shares)))))
        within.append(max([chance] + [f[2](margin) for f in found]))
        tests.append((found, margin))
    worse, better = holm(worse), holm(better)
    answer = []
    for index, (found, margin) in enumerate(tests):
        runs = min(sum(map(len, rows[index][side])) for side in ("old", "new"))
        verdict = 3
        if worse[index] <= rate:
            verdict = 0
        elif within[index] <= rate and better[index] <= rate:
            verdict = 1
        elif within[index] <= rate and runs >= 11:
            verdict = 2
        low, high = found[0][3](rate / len(rows) / 2)
        if verdict == 0 and found[0][1](margin) <= rate:
            low = max(low, min(margin, found[0][0]))
        if verdict == 1 and found[0][2](-margin) <= rate:
            high = min(high, max(-margin, found[0][0]))
        answer += [verdict, found[0][0], low, high, worse[index]]
        answer += [found[1][1](margin), found[1][2](margin), found[2][1](margin), found[2][2](margin)]
    return [float(value) for value in answer]


def few_runs(x, y, least):
    """Student's test with the pooled variance of SciPy's own, or a larger one that is known: probability, half width of 95 %."""
    freedom = len(x) + len(y) - 2
    pooled = (numpy.var(x) * len(x) + numpy.var(y) * len(y)) / freedom
    error = numpy.sqrt(max(pooled, least) * (1 / len(x) + 1 / len(y)))
    p = 2 * stats.t.sf(abs(numpy.mean(y) - numpy.mean(x)) / error, freedom)
    if pooled >= least:
        assert numpy.isclose(p, stats.ttest_ind(x, y).pvalue, rtol=1e-9)
    return [float(p), float(stats.t.isf(0.025, freedom) * error)]


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
    "few-runs": few_runs,
    "normal": lambda tail: float(stats.norm.isf(tail)),
    "least": lambda n, m: min(1.0, 2 / float(special.comb(n + m, n))),
    "family": family,
    "kinds": lambda old, new: float(
        max((1 - q / 1000) ** old * (q / 1000) ** new for q in range(1, 1000))
    ),
}
with open(sys.argv[1]) as questions:
    for line in questions:
        name, *arguments = json.loads(line)
        answer = answers[name](*arguments)
        # Numbers separated by spaces; a bound that does not exist is a dash.
        values = answer if isinstance(answer, list) else [answer]
        print(" ".join("-" if value is None else repr(value) for value in values))
