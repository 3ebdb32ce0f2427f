"""The chance that an audit finds a planted gap: worked out from the law first, then counted on fresh draws.

    python benchmarks/fairness/power.py beforehand > benchmarks/fairness/POWER.csv
    python benchmarks/fairness/power.py counted [--simulations 1000] [--first-seed 50000] [--worlds 1 2 3 4 5]

Beforehand, no audit is made. In large samples the figures of the groups are normal around their true values, with the
covariance of what each person adds to each figure's error (influence); both are taken from the law of the world. The
audit's seven tests are then functions of normal numbers: Welch's F with the noise that alike groups would have, and
Holm's allowance over the seven. So the power of each figure's test, with the allowance as it falls, is a mean over
draws of seven normal numbers a group. The formulas are written out here and not taken from the package.

Kept to be held against the count: no figure's power may be off by more than .06, nor all of them by more than .03 on
average. At 1,000 simulations chance alone moves a share of one half by .031.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from riskmodel.fairness.audit import audit_scores
from riskmodel.fairness.rules import Rules
from riskmodel.seeds import stream

KEPT = Path(__file__).with_name("POWER.csv")
METRICS = ("base_rate", "selection_rate", "tpr", "fpr", "ppv", "observed_expected", "auroc")
LAW_PEOPLE = 600_000
NORMAL_DRAWS = 200_000
BORROWED = 50.0
"""A group's own clustering counts as so many people's worth against that of all groups together."""


@dataclass(frozen=True)
class Planted:
    """A world with one group that is not like the others.

    Parameters
    ----------
    shares : of the groups among people; the last is the other one
    more : log-odds by which its outcomes come more often than its scores say
    blur : standard deviation of noise on its scores' log-odds, which blurs its ranking
    """

    people: int
    rows: int
    base: float
    shares: tuple[float, ...]
    more: float = 0.0
    blur: float = 0.0

    @property
    def name(self) -> str:
        """In words."""
        groups = ":".join(f"{100 * share:.0f}" for share in self.shares)
        return (
            f"{self.people} people x {self.rows} rows, base {self.base}, {groups}, more {self.more}, blur {self.blur}"
        )


WORLDS = (
    Planted(3000, 1, 0.10, (0.5, 0.5), more=0.4),
    Planted(600, 5, 0.20, (0.7, 0.3), more=0.6),
    Planted(6000, 1, 0.06, (0.5, 0.3, 0.2), more=0.45),
    Planted(4000, 1, 0.12, (0.6, 0.4), blur=1.0),
    Planted(800, 3, 0.15, (0.4, 0.3, 0.2, 0.1), more=-0.7, blur=0.5),
)


def drawn(world: Planted, people: int, generator: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Score, outcome, group and person of each row."""
    group = generator.choice(len(world.shares), people, p=world.shares)
    own = generator.normal(size=people)
    person = np.repeat(np.arange(people), world.rows)
    last = group[person] == len(world.shares) - 1
    level = np.log(world.base / (1 - world.base)) - 0.5
    level = level + 1.2 * (0.8 * own[person] + 0.6 * generator.normal(size=len(person)))
    outcome = generator.random(len(person)) < _expit(level + 0.5 * own[person] + world.more * last)
    score = _expit(level + world.blur * last * generator.normal(size=len(person)))
    return score, outcome.astype(float), group, person


def cut_of(world: Planted) -> float:
    """The score above which a row is listed: one in seven of the first group."""
    score, _, group, person = drawn(world, 200_000, stream(3, "power", "cut", world.name))
    return float(np.quantile(score[group[person] == 0], 6 / 7))


@dataclass(frozen=True)
class _Law:
    """One figure in one group: true value, people it rests on (as a share of the group's), and its errors.

    `influence` is of each person of the group, times the group's size; `effect` is its variance over that of
    independent rows at the common rate up to the factor `independent`, which is completed over groups.
    """

    value: float
    heads: float
    influence: np.ndarray
    yes_rows: float = 0.0
    no_rows: float = 0.0
    parts: tuple[np.ndarray, np.ndarray] | None = None
    below: float = 0.0
    above: float = 0.0
    doubt: float = 0.0


def beforehand(world: Planted) -> dict[str, float]:
    """The power of each figure's test within the audit, from the law alone."""
    score, outcome, group, person = drawn(world, LAW_PEOPLE, stream(4, "power", "law", world.name))
    listed = (score >= cut_of(world)).astype(float)
    sizes = np.array(world.shares) * world.people
    laws = [_laws(score, outcome, listed, person, group[person] == code) for code in range(len(sizes))]
    generator = stream(5, "power", "normal", world.name)
    covariances = [
        np.cov(np.stack([law.influence for law in own.values()])) / n for own, n in zip(laws, sizes, strict=True)
    ]
    values = np.stack(
        [
            generator.multivariate_normal([own[name].value for name in METRICS], covariance, NORMAL_DRAWS)
            for own, covariance in zip(laws, covariances, strict=True)
        ],
        axis=2,
    )  # (draws, figures, groups)
    p = np.stack([_p_values(values[:, at], [own[name] for own in laws], sizes, name)
                  for at, name in enumerate(METRICS)], axis=1)  # fmt: skip
    return dict(zip(METRICS, (_holm(p) < 0.05).mean(axis=0).tolist(), strict=True))


def _laws(
    score: np.ndarray, outcome: np.ndarray, listed: np.ndarray, person: np.ndarray, rows: np.ndarray
) -> dict[str, _Law]:
    """Every figure of one group."""
    s, y, on, who = score[rows], outcome[rows], listed[rows], np.unique(person[rows], return_inverse=True)[1]
    n = int(who.max()) + 1
    one = np.ones(len(s))
    pairs = {
        "base_rate": (y, one),
        "selection_rate": (on, one),
        "tpr": (on * y, y),
        "fpr": (on * (1 - y), 1 - y),
        "ppv": (on * y, on),
        "observed_expected": (y, s),
    }
    made = {}
    for name, (above, below) in pairs.items():
        value, mean_below = above.sum() / below.sum(), below.sum() / n
        influence = np.bincount(who, above - value * below, n) / mean_below
        rests = one if name == "observed_expected" else below
        heads = len(np.unique(who[rests > 0])) / n
        doubt = (s * (1 - s)).sum() / n
        made[name] = _Law(value, heads, influence, below=mean_below, above=above.sum() / n, doubt=doubt)
    made["auroc"] = _auroc(s, y, who, n)
    return made


def _auroc(s: np.ndarray, y: np.ndarray, who: np.ndarray, n: int) -> _Law:
    yes, no = np.sort(s[y == 1]), np.sort(s[y == 0])
    won, lost = np.zeros(len(s)), np.zeros(len(s))
    won[y == 1] = np.searchsorted(no, s[y == 1]) / len(no)
    lost[y == 0] = 1 - np.searchsorted(yes, s[y == 0]) / len(yes)
    value = won.sum() / len(yes)
    parts = (
        np.bincount(who, (won - value) * (y == 1), n) / (len(yes) / n),
        np.bincount(who, (lost - value) * (y == 0), n) / (len(no) / n),
    )
    heads = min(len(np.unique(who[y == 1])), len(np.unique(who[y == 0]))) / n
    return _Law(value, heads, parts[0] + parts[1], len(yes) / n, len(no) / n, parts)


def _p_values(values: np.ndarray, laws: list[_Law], sizes: np.ndarray, name: str) -> np.ndarray:
    """Welch's F of (draws, groups) values, with the noise that alike groups would have."""
    heads = sizes * np.array([law.heads for law in laws])
    noise = _noise_of_auroc(laws, sizes, heads) if name == "auroc" else _noise(laws, sizes, heads, name)
    k, weight = values.shape[1], 1 / noise
    share = weight / weight.sum()
    uneven = ((1 - share) ** 2 / (heads - 1)).sum() / (k**2 - 1)
    squares = ((values - values @ share[:, None]) ** 2 @ weight) / (k - 1)
    return np.asarray(stats.f.sf(squares / (1 + 2 * (k - 2) * uneven), k - 1, 1 / (3 * uneven)))


def _noise(laws: list[_Law], sizes: np.ndarray, heads: np.ndarray, name: str) -> np.ndarray:
    above, below, doubt, own = (
        np.array(part)
        for part in zip(*((law.above, law.below, law.doubt, law.influence.var()) for law in laws), strict=True)
    )
    common = (sizes @ above) / (sizes @ below)
    value = above / below
    if name == "observed_expected":
        independent, at_own = common * doubt / below**2, value * doubt / below**2
    else:
        independent, at_own = common * (1 - common) / below, value * (1 - value) / below
    return np.asarray(independent * np.maximum(_borrowed(own / at_own, heads), 1.0) / sizes)


def _noise_of_auroc(laws: list[_Law], sizes: np.ndarray, heads: np.ndarray) -> np.ndarray:
    total, apart = np.zeros(len(laws)), np.zeros(len(laws))
    for at, rows in ((0, "yes_rows"), (1, "no_rows")):
        per_person = np.array([getattr(law, rows) for law in laws])
        squares = np.array([law.parts[at].var() for law in laws if law.parts is not None])
        total += _borrowed(squares * per_person, heads) / (per_person * sizes)
        apart += squares
    whole = np.array([law.influence.var() for law in laws])
    return np.asarray(total * np.average(whole / apart, weights=heads))


def _borrowed(own: np.ndarray, heads: np.ndarray) -> np.ndarray:
    return np.asarray((heads * own + BORROWED * np.average(own, weights=heads)) / (heads + BORROWED))


def _holm(p: np.ndarray) -> np.ndarray:
    """Holm's p values of each row of tests."""
    order = np.argsort(p, axis=1)
    stepped = np.take_along_axis(p, order, axis=1) * np.arange(p.shape[1], 0, -1)
    made = np.empty_like(p)
    np.put_along_axis(made, order, np.minimum(np.maximum.accumulate(stepped, axis=1), 1.0), axis=1)
    return made


def counted(world: Planted, simulations: int, first_seed: int) -> dict[str, int]:
    """How often the audit itself says that the groups differ, by figure."""
    cut, hits = cut_of(world), dict.fromkeys(METRICS, 0)
    for seed in range(first_seed, first_seed + simulations):
        score, outcome, group, person = drawn(world, world.people, stream(seed, "power", "fresh", world.name))
        made = audit_scores(
            score, outcome, {"g": group[person].astype(str)}, people=person, decisions=score >= cut,
            rules=Rules(replicates=50), seed=seed,
        )  # fmt: skip
        for one in made.finding_list:
            hits[str(one.metric)] = hits.get(str(one.metric), 0) + (one.says == "differs")
    return {name: hits[name] for name in METRICS}


def compared(simulations: int, first_seed: int, worlds: list[int]) -> Iterator[str]:
    """The count beside what was kept beforehand."""
    with KEPT.open(encoding="utf-8") as file:
        kept = {(row["world"], row["figure"]): float(row["power"]) for row in csv.DictReader(file)}
    off = []
    for world in (WORLDS[number - 1] for number in worlds):
        yield f"\n{world.name}\n"
        for name, hits in counted(world, simulations, first_seed).items():
            reach = stats.binomtest(hits, simulations).proportion_ci()
            before, share = kept[world.name, name], hits / simulations
            off.append(abs(share - before))
            yield f"  {name:18s} beforehand {before:.3f}   counted {share:.3f} ({reach.low:.3f} to {reach.high:.3f})\n"
    yield f"\noff by {np.mean(off):.4f} on average, at most {max(off):.3f}, over {len(off)} tests\n"


def _expit(level: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-level)))


def main() -> None:
    """Work the power out, or count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("beforehand", "counted"))
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=50_000)
    parser.add_argument("--worlds", type=int, nargs="+", default=list(range(1, len(WORLDS) + 1)))
    given = parser.parse_args()
    if given.what == "counted":
        for line in compared(given.simulations, given.first_seed, given.worlds):
            print(line, end="", flush=True)
        return
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("world", "figure", "power"))
    for world in WORLDS:
        out.writerows((world.name, name, f"{power:.4f}") for name, power in beforehand(world).items())


if __name__ == "__main__":
    main()
