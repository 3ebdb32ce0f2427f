"""Published figures: the slope and relative index of Public Health England's worked test tables.

From the test tables that come with PHEindicatormethods. There, decile 1 is the most deprived and both indices go from
the most to the least deprived end, so the slope has the other sign here and the relative index is the inverse.
The published intervals are simulated (100,000 draws, with a tolerance of 5 %); ours are not.
"""

import numpy as np
import pytest

from riskmodel.population.inequality import gradient

LIFE = [75.933459010308098, 78.344238272784295, 83.836063104165405, 83.637539966493094, 80.465503152955904]
LIFE += [81.115675985702197, 81.693083571856207, 84.190006206098701, 80.595564108147201, 86.289434957862397]
LIFE_ERRORS = [1.6384724263585451, 1.578192884542907, 1.5134355059640296, 1.7754906175801293, 1.7013390591981388]
LIFE_ERRORS += [1.5641210737675499, 1.3681148366878566, 1.4001418005940802, 2.4328463975781616, 1.5665181695934678]
LIFE_PEOPLE = [7291, 7997, 6105, 7666, 5790, 6934, 5918, 5974, 7147, 7534]

DEATHS = [5.8922196894757208, 4.7345044591063035, 3.827634083245766, 3.8681380211371112, 3.6771570234217785]
DEATHS += [3.1436261209723995, 3.1258711808912585, 2.9425683464586041, 2.8287995039913199, 2.7648101907140012]
LOW = [5.6149596624107483, 4.4759207707810038, 3.5869260554450242, 3.6140791140579505, 3.4166969870147965]
LOW += [2.8977176350029272, 2.8704938092859789, 2.6924041297904315, 2.5763057378752698, 2.5014206190884578]
HIGH = [6.1830853575761537, 5.0079519402470885, 4.0844291026854505, 4.1399822998098585, 3.9573934822289045]
HIGH += [3.4103317188858107, 3.4038909874130083, 3.2159015715579464, 3.1059621495836955, 3.0558486661833499]
BIRTHS = [279012, 255993, 236961, 214315, 192812, 183546, 168593, 164822, 154836, 138165]


def test_life_expectancy():
    made = gradient(LIFE, LIFE_ERRORS, LIFE_PEOPLE, n=sum(LIFE_PEOPLE))
    assert made.slope.value == pytest.approx(-6.9346164736688189, rel=1e-9)
    assert 1 / made.relative.value == pytest.approx(1.0888180804446217, rel=1e-9)
    assert [-made.slope.high, -made.slope.low] == pytest.approx([3.1275946176508169, 10.7586873680794], abs=0.05)
    inverse = [1 / made.relative.high, 1 / made.relative.low]
    assert inverse == pytest.approx([1.0383690591642838, 1.1412993360251238], abs=0.001)


def test_infant_mortality_on_both_scales():
    errors = np.log(np.divide(HIGH, LOW)) / (2 * 1.959964) * DEATHS  # of the logarithm, taken back
    linear = gradient(DEATHS, errors, BIRTHS, n=6700)
    assert linear.slope.value == pytest.approx(3.2752012326471758, rel=1e-9)
    assert 1 / linear.relative.value == pytest.approx(0.40600068953980034, rel=1e-9)
    assert [linear.slope.low, linear.slope.high] == pytest.approx([2.9653170017272723, 3.5868233016744155], abs=0.01)
    log = gradient(DEATHS, errors, BIRTHS, n=6700, scale="log")
    assert log.slope.value == pytest.approx(3.1559071389545599, rel=1e-9)
    assert 1 / log.relative.value == pytest.approx(0.44188484360768232, rel=1e-9)
    assert [log.slope.low, log.slope.high] == pytest.approx([2.8332373447636319, 3.4809615490242884], abs=0.02)
