"""The compressor: keeps of a text what a classifier must read, within a budget of tokens.

A memory pipeline of four steps, each a function over arrays: prepare (sentences and terms),
relevance (a score for each sentence), retrieve (the choice), apply (token ids and their places).
"""

from pointsman_backends.compressor.errors import RequestError
from pointsman_backends.compressor.pipeline import Compressed, Compressor
from pointsman_backends.compressor.tokenizer import Tokenizer

__all__ = ["Compressed", "Compressor", "RequestError", "Tokenizer"]
