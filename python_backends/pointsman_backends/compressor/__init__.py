"""The compressor: keeps of a text what a classifier must read, within a budget of tokens.

A memory pipeline of four steps, each a function over arrays: prepare (sentences and terms),
relevance (a score for each sentence), retrieve (the choice), apply (token ids and their places).
"""

from pointsman_backends.compressor.errors import RequestError
from pointsman_backends.compressor.pipeline import Compressed, Compressor, Explained
from pointsman_backends.compressor.profiles import PROFILES, Profile, profile_from_parameters
from pointsman_backends.compressor.tokenizer import Tokenizer

__all__ = [
    "PROFILES",
    "Compressed",
    "Compressor",
    "Explained",
    "Profile",
    "RequestError",
    "Tokenizer",
    "profile_from_parameters",
]
