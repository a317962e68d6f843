"""`report.html`: what a run learned and where it fails, on one page that needs nothing else.

A section is one file in `sections/`, found by scanning:

    ORDER = 40                                          # its place on the page, lowest first
    def section(run: ReportedRun) -> Section | None:    # None: there is nothing to show of this run

What is of several words is a `Text`, in English and Chinese. What comes from outside (names of files and classes,
messages) passes through a helper of `markup`, which escapes it: `tag`, `table`, `plot` ... A filmstrip of a video is
`film(run.films, path)`; the page draws all of them at its end, the first asked for first, as far as its size and the
time allow. Nothing in a section is a script of its own, which the page's policy forbids: `resources/report/page.js`
makes tables sort, filters filter, and plots and films appear.
"""
