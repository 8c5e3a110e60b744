"""Queries at random over a small schema, for test_lineage.py: the same seed gives the same queries."""

import random

# `secret` is the column whose values differ between the two databases.
SCHEMA = """
CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20), secret VARCHAR(20), age INT,
                     shout VARCHAR(20) AS (UPPER(secret)) VIRTUAL);
CREATE TABLE orders (id INT PRIMARY KEY, person INT, item VARCHAR(20), price INT);
CREATE TABLE notes (id INT PRIMARY KEY, age INT, note VARCHAR(20));
CREATE VIEW known AS SELECT id, name, secret AS code FROM people;
CREATE VIEW costs (who, total) AS SELECT person, SUM(price) FROM orders GROUP BY person;
"""
PEOPLE = [(1, "ann", 30), (2, "bob", 41), (3, "cy", 30), (4, None, 52), (5, "eve", 19)]
ORDERS = [(1, 1, "pen", 3), (2, 1, "ink", 9), (3, 2, "pen", 3), (4, 3, None, 12), (5, 9, "pad", 4)]
NOTES = [(1, 30, "x"), (2, 41, "y"), (3, 30, "x"), (6, 52, None)]
SECRETS = (["s1", "s2", "s3", None, "1"], ["s1", "q2", "30", "s3", None])

TABLES = {
    "people": ["id", "name", "secret", "age", "shout"],
    "orders": ["id", "person", "item", "price"],
    "notes": ["id", "age", "note"],
    "known": ["id", "name", "code"],
    "costs": ["who", "total"],
}


class Generator:
    def __init__(self, seed, kind):
        self.random = random.Random(seed)
        self.kind = kind
        self.aliases = 0

    def pick(self, *choices):
        return self.random.choice(choices)

    def chance(self, one_in):
        return self.random.randrange(one_in) == 0

    def alias(self):
        self.aliases += 1
        return f"x{self.aliases}"

    def query(self, depth=0, columns=None):
        """SELECT, perhaps with WITH, a set operation, ORDER BY and LIMIT. `columns`: how many it has to have."""
        if depth < 2 and self.chance(8):
            name = self.alias()
            inner, names = self.query_block(depth + 1)
            outer, outer_names = self.query_block(depth, columns, known={name: names})
            return f"WITH {name} AS ({inner}) {outer}", outer_names
        text, names = self.query_block(depth, columns)
        if names is None:
            return text, None
        if self.chance(7):
            operation = self.pick("UNION", "UNION ALL", "UNION DISTINCT", "EXCEPT", "INTERSECT")
            more, _ = self.query_block(depth + 1, len(names))
            text = f"{text} {operation} {more}"
        elif depth > 0 or self.chance(2):
            if self.chance(3):  # by all columns, so that LIMIT leaves no choice
                text += " ORDER BY " + ", ".join(f"{number + 1}{self.pick('', ' DESC')}" for number in range(len(names)))
                if self.chance(2):
                    text += f" LIMIT {self.random.randrange(4)}"
        return text, names

    def query_block(self, depth, columns=None, known=None):
        tables = dict(TABLES, **(known or {}))
        source, scope = self.source(depth, tables)
        grouped = self.chance(5)
        items, names = [], []
        for number in range(columns or self.random.randrange(3) + 1):
            if columns is None and not grouped and number == 0 and self.chance(6):
                return self.star(source, scope, depth)
            value = self.expression(scope, depth, 2)
            if grouped:
                value = self.pick("MIN({0})", "MAX({0})", "COUNT({0})", "GROUP_CONCAT({0} ORDER BY {0})", "SUM({0})").format(value)
            name = f"c{number}"
            items.append(f"{value} AS {name}")
            names.append(name)
        text = f"SELECT {'DISTINCT ' if self.chance(8) else ''}{', '.join(items)} FROM {source}"
        if self.chance(2):
            text += f" WHERE {self.condition(scope, depth)}"
        if grouped and self.chance(2):
            text += f" GROUP BY {self.expression(scope, depth, 1)}"
            if self.chance(3):
                text += f" HAVING COUNT(*) > {self.random.randrange(2)}"
        return text, names

    def star(self, source, scope, depth):
        text = f"SELECT {self.pick('*', '*', scope[0][0] + '.*')} FROM {source}"
        if self.chance(2):
            text += f" WHERE {self.condition(scope, depth)}"
        return text, None

    def source(self, depth, tables):
        """FROM's text, and what it gives: (qualifier, columns) each."""
        text, scope = self.table(depth, tables)
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            more, names = self.table(depth, tables)
            kind = self.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "CROSS JOIN", ",")
            if kind == ",":
                text, scope = f"{text}, {more}", scope + names
                continue
            both = scope + names
            if kind == "CROSS JOIN":
                text = f"({text}) CROSS JOIN {more}"
            else:
                text = f"({text}) {kind} {more} ON {self.comparison(both, depth)}"
            scope = both
        return text, scope

    def table(self, depth, tables):
        alias = self.alias()
        if depth < 2 and self.chance(6):
            inner, names = self.query_block(depth + 1)
            if names is not None:
                return f"({inner}) AS {alias}", [(alias, names)]
        if self.chance(9):
            left, right = self.pick(("people", "orders"), ("people", "notes"), ("known", "people"))
            join = self.pick("JOIN {} USING (id)", "LEFT JOIN {} USING (id)", "NATURAL JOIN {}", "RIGHT JOIN {} USING (id)")
            inner = f"SELECT * FROM {left} {join.format(right)}"
            columns = [name for name in TABLES[left] if name not in TABLES[right]] + ["id"]
            return f"({inner}) AS {alias}", [(alias, columns)]
        name = self.pick(*tables)
        columns = tables[name]
        if columns is None:
            name, columns = "people", TABLES["people"]
        return f"{name} AS {alias}", [(alias, columns)]

    def column(self, scope):
        qualifier, columns = self.random.choice(scope)
        return f"{qualifier}.{self.random.choice(columns)}"

    def expression(self, scope, depth, budget):
        if budget == 0 or self.chance(2):
            return self.pick(*[self.column(scope)] * 5, str(self.random.randrange(60)), "'s1'", "NULL")

        def inner():
            return self.expression(scope, depth, budget - 1)

        form = self.random.randrange(13)
        if form == 0:
            return f"({inner()} {self.pick('+', '-', '=', '<', '<=>', 'AND', 'OR')} {inner()})"
        if form == 1:
            return f"CONCAT({inner()}, {inner()})"
        if form == 2:
            return f"COALESCE({inner()}, {inner()})"
        if form == 3:
            return f"CASE WHEN {self.condition(scope, depth)} THEN {inner()} ELSE {inner()} END"
        if form == 4:
            return f"IF({self.condition(scope, depth)}, {inner()}, {inner()})"
        if form == 5:
            return f"{self.pick('LENGTH', 'UPPER', 'HEX', 'ISNULL', 'ABS')}({inner()})"
        if form == 6:
            return f"CAST({inner()} AS {self.pick('CHAR(5)', 'SIGNED')})"
        if form == 7:
            return f"NULLIF({inner()}, {inner()})"
        if form == 8 and depth < 2:
            text, _ = self.query_block(depth + 1, 1)
            return f"(SELECT {self.pick('MIN', 'MAX')}({self.alias()}.c0) FROM ({text}) x{self.aliases})"
        if form == 9 and depth < 2:
            return f"EXISTS ({self.query_block(depth + 1, 1)[0]})"
        if form == 10:
            return f"(SELECT MAX(y.{self.pick('name', 'secret', 'age')}) FROM people y WHERE y.id = {self.column(scope)})"
        if form == 11:
            return f"GREATEST({inner()}, {inner()})"
        return f"(NOT {inner()})"

    def comparison(self, scope, depth):
        return f"{self.column(scope)} {self.pick('=', '=', '<', '<>')} {self.expression(scope, depth, 1)}"

    def condition(self, scope, depth):
        form = self.random.randrange(7)
        if form == 0:
            return f"{self.column(scope)} IS {self.pick('', 'NOT ')}NULL"
        if form == 1:
            return f"{self.column(scope)} {self.pick('', 'NOT ')}IN ({self.expression(scope, depth, 1)}, 's1', 30)"
        if form == 2:
            return f"{self.column(scope)} BETWEEN {self.expression(scope, depth, 0)} AND 'z'"
        if form == 3:
            return f"{self.column(scope)} LIKE {self.pick(chr(39) + 's%' + chr(39), self.column(scope))}"
        if form == 4 and depth < 2:
            return f"{self.column(scope)} {self.pick('', 'NOT ')}IN (SELECT {self.pick('secret', 'age', 'id')} FROM people)"
        if form == 5:
            return f"({self.comparison(scope, depth)} {self.pick('AND', 'OR', 'XOR')} {self.comparison(scope, depth)})"
        return self.comparison(scope, depth)


def queries(seed, count, kind):
    generator = Generator(seed, kind)
    return [generator.query()[0] for _ in range(count)]
