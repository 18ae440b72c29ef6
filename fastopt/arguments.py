"""Kinds of arguments that several commands take."""

import argparse


def at_least(least):
    """The type of an integer argument with a lower bound."""

    def integer(text):
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected an integer of at least {least}, got {text!r}")
        return int(text)

    return integer
