"""Published figures: the checked examples of Public Health England's indicator methods.

Figures of the test tables that Public Health England (now the Department of Health and Social Care) publishes with
PHEindicatormethods, made from the APHO tool for common public health statistics (Eayres 2008, Technical Briefing 3).
"""

import pytest

from riskmodel.population.rates import byar_limits, rate, standardised_rate

# events and people of 19 age bands, 0-4 to 90 and over
EVENTS = [127, 25, 18, 21, 12, 27, 48, 27, 29, 32, 32, 34, 45, 65, 38, 68, 74, 82, 91]
PEOPLE = [636, 558, 609, 543, 384, 594, 669, 843, 660, 576, 606, 522, 426, 273, 300, 288, 153, 123, 207]
# European Standard Population 2013 (Eurostat)
EUROPE_2013 = [5000, 5500, 5500, 5500, 6000, 6000, 6500, 7000, 7000, 7000, 7000, 6500, 6000, 5500, 5000, 4000, 2500]
EUROPE_2013 += [1500, 1000]
# European Standard Population 1976, 18 age bands
EUROPE_1976 = [8000] + 10 * [7000] + [6000, 5000, 4000, 3000, 2000, 1000, 1000]


@pytest.mark.parametrize(
    ("count", "people", "low", "high", "method"),
    [
        (1, 100, 2.5317807984289897e-2, 5.571643390938898, "exact"),
        (5, 100, 1.62348639011842, 11.668332079322669, "exact"),
        (20, 100, 12.211428834875937, 30.889880369197066, "Byar"),
        (65, 100, 50.163187710459454, 82.849138545939837, "Byar"),
        (9856, 12345, 78.269490589767571, 81.430016542721404, "Byar"),
        (222, 3215, 6.0265748776526751, 7.8757293708718503, "Byar"),
    ],
)
def test_crude_rates(count, people, low, high, method):
    made = rate(count, people, per=100)
    assert [made.value, made.low, made.high] == pytest.approx([100 * count / people, low, high], rel=1e-9)
    assert made.method.startswith(method)


def test_byar_at_998_per_thousand():
    assert byar_limits(1045, 0.998) == pytest.approx([947.94070356103737, 1148.8061609880331], rel=1e-9)


def test_directly_standardised_rate_of_the_european_population_of_2013():
    made = standardised_rate(EVENTS, PEOPLE, EUROPE_2013, per=100_000)
    assert [made.value, made.low, made.high] == pytest.approx(
        [10430.247991469423, 9717.709067985681, 11178.94091547925], rel=1e-9
    )
    wide = standardised_rate(EVENTS, PEOPLE, EUROPE_2013, per=10_000, confidence=0.998)
    assert [wide.low, wide.high] == pytest.approx([932.32878802199036, 1162.0595999522059], rel=1e-9)


def test_directly_standardised_rate_of_the_european_population_of_1976():
    made = standardised_rate(EVENTS[:18], PEOPLE[:18], EUROPE_1976, per=10_000)
    assert made.n == 804
    assert [made.value, made.low, made.high] == pytest.approx(
        [859.20975850223658, 799.11609314421025, 922.52538803183177], rel=1e-9
    )


def test_events_that_are_not_independent():
    # people with one, two, three and four events
    once = [75, 16, 11, 12, 8, 18, 26, 18, 18, 21, 21, 23, 23, 39, 25, 40, 46, 49, 56]
    twice = [16, 3, 2, 3, 0, 3, 6, 3, 4, 4, 4, 4, 6, 8, 5, 9, 9, 10, 11]
    thrice = [4, 1, 1, 1, 0, 1, 2, 1, 1, 1, 1, 1, 2, 2, 1, 2, 2, 3, 3]
    four = [2, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 1]
    repeats = list(zip(once, twice, thrice, four, strict=True))
    made = standardised_rate(EVENTS, PEOPLE, EUROPE_2013, per=100_000, repeats=repeats)
    assert [made.low, made.high] == pytest.approx([9532.94977862, 11373.07483298], rel=1e-9)
