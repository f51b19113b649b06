"""Reading a CT and its vertebra labels, level names, and everything that can be wrong with them."""

from .load import load_case
from .numbering import TOTALSEGMENTATOR, VERSE, Numbering
from .requested import requested_levels
from .source import Source

__all__ = ["TOTALSEGMENTATOR", "VERSE", "Numbering", "Source", "load_case", "requested_levels"]
