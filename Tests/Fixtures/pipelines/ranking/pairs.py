"""What the rank stage of pipeline.py spends most of its time in."""


def score_pairs(count):
    """A hash of some numbers, in plain Python."""
    score = 0
    for number in range(count):
        score = (score * 31 + number) & 0xFFFFFFFF
    return score
