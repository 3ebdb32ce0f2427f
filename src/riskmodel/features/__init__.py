"""What we know of a person on a day: features as meaning first, then one kernel that computes them for everybody."""

from __future__ import annotations

from riskmodel.features import language as _language
from riskmodel.features.language import *  # noqa: F403 - the words of the language, listed in its __all__

__all__ = _language.__all__
