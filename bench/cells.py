"""What the tables are made of: lines of Markdown, and numbers beside their goals."""

from fastopt.bench import best_torch, human


def held(text, goal, reached):
    """A number beside its goal, marked where it misses."""
    return f"{text} (goal {goal})" if reached else f"**{text}** (goal {goal}, missed)"


def ratio(value, goal=None):
    """A ratio, marked where it misses its goal."""
    text = f"x{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"
    return text if goal is None else held(text, f"x{goal:g}", value >= goal)


def table(*head):
    """The first two lines of a table."""
    return "| " + " | ".join(head) + " |\n" + "| --- " * len(head) + "|"


def against(seconds, name, goal=None):
    """Two cells: what a contestant needs, and how often fastopt fits into that; empty where it did not race."""
    return [human(seconds[name]), ratio(seconds[name] / seconds["fastopt"], goal)] if name in seconds else ["", ""]


def against_torch(seconds, goal):
    """Three cells: the best torch, which it is, the ratio."""
    torch = best_torch(seconds)
    if torch is None:
        return ["", "", ""]
    time, times = against(seconds, torch[0], goal)
    return [time, torch[0].removeprefix("torch").lstrip(", "), times]


def line(cells):
    return "| " + " | ".join(cells) + " |"
