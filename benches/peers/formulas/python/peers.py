"""The peers in Python: asteval for formulas; Jinja2, Mako and Chameleon for templates.

Prints one JSON object a line: {"what": "formulas" | "template", "name": ..., "count": ..., "ns": nanoseconds of
one formula or one rendering}. What is measured is in ../../../formulas/set.rs and ../src/main.rs; the least of
several rounds counts, as there.
"""

import json
import time

from asteval import Interpreter
from chameleon import PageTextTemplate
from jinja2 import Template as JinjaTemplate
from mako.template import Template as MakoTemplate

ROUNDS = 7


def expression(index, x, y):
    return [
        f"(k{x} * 0.25) if k{x} > 50 else (k{y} + 1)",
        f"round(abs(k{x} - 220) / 220 * 100)",
        f"max(0, min(100, k{x})) + k{y} * 2",
        f"k{x} > 80 and k{y} < 20",
    ][index % 4]


def value(key, tick):
    return (tick + 37 * key) % 100 + 0.5


def least(work, count):
    times = []
    for tick in range(ROUNDS):
        began = time.perf_counter_ns()
        work(tick)
        times.append(time.perf_counter_ns() - began)
    return min(times) / count


def tell(what, name, count, ns):
    print(json.dumps({"what": what, "name": name, "count": count, "ns": ns}), flush=True)


def formulas(count):
    keys = [(index, (index + 1) % count) for index in range(count)]
    texts = [expression(index, x, y) for index, (x, y) in enumerate(keys)]

    def fresh():
        interpreter = Interpreter(use_numpy=False)
        interpreter.symtable.update({f"k{key}": value(key, 0) for key in range(count)})
        return interpreter

    # As the project's first design did it: the values that a formula reads go into the symbol table, and its text
    # is evaluated.
    interpreter = fresh()

    def as_text(tick):
        for (x, y), text in zip(keys, texts):
            interpreter.symtable.update({f"k{x}": value(x, tick), f"k{y}": value(y, tick)})
            interpreter.eval(text)

    tell("formulas", "asteval, from text each time", count, least(as_text, count))

    parsed_by = fresh()
    parsed = [parsed_by.parse(text) for text in texts]

    def as_tree(tick):
        parsed_by.symtable.update({f"k{key}": value(key, tick) for key in range(count)})
        for tree in parsed:
            parsed_by.run(tree)

    tell("formulas", "asteval, parsed before", count, least(as_tree, count))


def templates():
    def values(tick):
        return {"cpu": 41.7 + tick % 7, "hot": tick % 2 == 0, "mem": 3.14 + tick % 3, "total": 8.0}

    jinja = JinjaTemplate(
        "CPU {{ '%.0f' % cpu }}% {{ '!' if hot else ' ' }} {{ '%.1f' % mem }} of {{ '%.1f' % total }} GB"
    )
    mako = MakoTemplate("CPU ${'%.0f' % cpu}% ${'!' if hot else ' '} ${'%.1f' % mem} of ${'%.1f' % total} GB")
    chameleon = PageTextTemplate(
        "CPU ${'%.0f' % cpu}% ${'!' if hot else ' '} ${'%.1f' % mem} of ${'%.1f' % total} GB"
    )
    peers = [
        ("Jinja2", lambda given: jinja.render(**given)),
        ("Mako", lambda given: mako.render(**given)),
        ("Chameleon", lambda given: chameleon.render(**given)),
    ]
    for name, render in peers:
        assert render(values(0)) == "CPU 42% ! 3.1 of 8.0 GB", (name, render(values(0)))
        many = 5_000

        def work(_):
            for tick in range(many):
                render(values(tick))

        tell("template", name, 1, least(work, many))


if __name__ == "__main__":
    for count in (100, 1_000):
        formulas(count)
    templates()
