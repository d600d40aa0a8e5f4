"""Bar charts as inline SVG. The table next to each chart has the same numbers; colour carries no meaning alone."""

from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT = 640, 150
_TOP, _BOTTOM = 18, 18

_CHART = Markup(
    '<svg viewBox="0 0 {width} {height}" role="img" aria-label="{title}" preserveAspectRatio="none">{body}</svg>'
)


def bars(title: str, names: Sequence[str], wholes: Sequence[int], parts: Sequence[int] | None = None) -> Markup:
    """Return a bar for each name. A part is the filled lower part of its bar; without parts, bars are filled.

    :param title: what the bars are, in words
    :param names: the days or periods, in order
    """
    most = max(wholes, default=0)
    if not most:
        return Markup("")
    step = WIDTH / len(names)
    filled = wholes if parts is None else parts
    body = Markup("").join(
        Markup("<g><title>{}</title>{}{}</g>").format(
            f"{name}: {whole:,}" if parts is None else f"{name}: {part:,} of {whole:,}",
            _bar(place * step, step, whole / most, "whole"),
            _bar(place * step, step, part / most, "part"),
        )
        for place, (name, whole, part) in enumerate(zip(names, wholes, filled, strict=True))
    )
    body += Markup('<text x="0" y="12">{}</text><text x="0" y="{y}">{}</text>').format(
        f"{title}; highest: {most:,}", names[0], y=HEIGHT - 4
    )
    if len(names) > 1:
        body += Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(WIDTH, HEIGHT - 4, names[-1])
    return _CHART.format(width=WIDTH, height=HEIGHT, title=title, body=body)


def funnel(title: str, steps: Sequence[tuple[str, int]]) -> Markup:
    """Return a horizontal bar for each step, in proportion to the first step."""
    first = steps[0][1]
    if not first:
        return Markup("")
    body = Markup("").join(
        Markup(
            '<g><rect class="part" x="110" y="{}" width="{:.1f}" height="20"/><text x="0" y="{}">{}</text></g>'
        ).format(top + 2, max((WIDTH - 200) * count / first, 1 if count else 0), top + 17, name)
        + Markup('<text x="{:.1f}" y="{}">{}</text>').format(
            116 + (WIDTH - 200) * count / first, top + 17, f"{count:,}"
        )
        for top, (name, count) in ((_TOP + place * 28, step) for place, step in enumerate(steps))
    )
    body += Markup('<text x="0" y="12">{}</text>').format(title)
    return _CHART.format(width=WIDTH, height=_TOP + 28 * len(steps), title=title, body=body)


def _bar(left: float, step: float, share: float, kind: str) -> Markup:
    height = share * (HEIGHT - _TOP - _BOTTOM)
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        kind, left + step * 0.1, HEIGHT - _BOTTOM - height, step * 0.8, height
    )
