"""Tables in Markdown, with ratios."""

HEAD = ["step", "who", "files", "bytes over the wire", "CPU s", "server CPU s", "wall s", "peak MB", "bytes ×", "CPU ×", "wall ×"]


class Table:
    """Rows of one corpus. The ratios of a row are ours divided by it: below 1, ours is cheaper."""

    def __init__(self, title):
        self.title, self.rows, self.ours = title, [], None

    def ours_row(self, step, files, cost):
        self.ours = cost
        self.rows.append([step, "Stationmaster", number(files), *self._figures(cost), "", "", ""])

    def peer_row(self, who, files, cost):
        ratios = [ratio(self.ours.wire, cost.wire), ratio(self.ours.cpu, cost.cpu), ratio(self.ours.wall, cost.wall)]
        self.rows.append(["", who, number(files), *self._figures(cost), *ratios])

    @staticmethod
    def _figures(cost):
        return [number(cost.wire), f"{cost.cpu:.3f}", f"{cost.server_cpu:.2f}", f"{cost.wall:.2f}", f"{cost.peak:.0f}"]

    def text(self):
        widths = [max(len(row[i]) for row in [HEAD, *self.rows]) for i in range(len(HEAD))]

        def line(cells):
            return "| " + " | ".join(cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(cells, widths, strict=True))) + " |"

        rule = "|" + "|".join("-" * (w + 2) if i < 2 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
        return "\n".join([f"### {self.title}", "", line(HEAD), rule, *map(line, self.rows)]) + "\n"


def number(value):
    return "" if value is None else f"{value:,}"


def ratio(ours, other):
    return f"{ours / other:.2f}" if other else ""
