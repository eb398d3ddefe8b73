"""feeds.py - a feed of a test file as a table of Flink's: a csv file with a column more, `__wm`, that says where the watermark stands
behind each row, and a view without that column. The same as test/sqltest/feed.c, with the connector filesystem."""
import os
import re


def columns_of(header):
    """[(text, name, is computed)]"""
    parts, depth, text = [], 0, ""
    for c in header.strip()[1:-1] + ",":
        depth += (c in "(<") - (c in ")>")
        if c == "," and depth == 0:
            parts.append(text.strip())
            text = ""
        else:
            text += c
    return [(part, part.split()[0], len(part.split()) > 2 and part.split()[1] == "AS") for part in parts]


def unquoted(cell):
    if len(cell) < 2 or cell[0] != "'":
        return cell
    return re.sub(r"\\(x..|.)", lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "x" else m[1], cell[1:-1])


def csv(cell):
    plain = cell != "" and not set(cell) & set(',"\n')
    return cell if plain else '"' + cell.replace('"', '""') + '"'


def rows_of(case):
    """Rows with the watermark behind them."""
    rows = []
    for line in case.rows:
        if line.startswith("watermark "):
            rows[-1][-1] = line[len("watermark "):]
        else:
            rows.append([csv(unquoted(cell)) for cell in line.split(" | ")] + (["NULL"] if case.by_time else []))
    return rows


def statements_of(case, folder):
    """Writes the file into the folder; answers the statements that make the table."""
    columns, path = columns_of(case.sql), os.path.join(folder, case.feed + ".csv")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(",".join(row) + "\n" for row in rows_of(case))
    parts = [text for text, _, _ in columns]
    if case.by_time:
        kind = next(text[len(name):].strip() for text, name, computed in columns if name == case.by_time and not computed)
        parts += [f"`__wm` {kind}", f"WATERMARK FOR {case.by_time} AS `__wm`"]
    yield (f"CREATE TABLE {case.feed}__feed ({', '.join(parts)}) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv', "
           "'csv.null-literal' = 'NULL')")
    yield f"CREATE VIEW {case.feed} AS SELECT {', '.join(name for _, name, _ in columns)} FROM {case.feed}__feed"
