"""`from fastopt.nn.preprocessing.text import Tokenizer`."""

from ...data.tokenizer import Tokenizer, text_to_word_sequence, tokenizer_from_json

__all__ = ["Tokenizer", "text_to_word_sequence", "tokenizer_from_json"]
