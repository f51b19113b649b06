"""The style sheet of the report: A4 sheets on paper and on the screen. A Python string, so that it is always found.

DejaVu Sans, the usual font of a bare Linux, is a seventh wider than Arial: it is set smaller, so that pages still fit.
"""

from __future__ import annotations

from ..model.palette import BLUE, BLUISH_GREEN, ORANGE, VERMILION

_SHEET = """
@font-face { font-family: "Narrowed"; src: local("DejaVu Sans"); size-adjust: 88%; }
@font-face { font-family: "Narrowed"; src: local("DejaVu Sans Bold"); font-weight: bold; size-adjust: 88%; }
@page { size: A4 portrait; margin: 10mm 11mm; }
:root { --safe: SAFE; --tight: TIGHT; --breach: BREACH; --info: INFO; --ink: #111; --faint: #555; --line: #bbb; }
* { box-sizing: border-box; }
html { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
body { margin: 0; color: var(--ink); font: 8.6pt/1.32 "Segoe UI", "Helvetica Neue", Arial, "Liberation Sans",
  "Narrowed", sans-serif; }
.sheet { display: flex; flex-direction: column; gap: 2.2mm; }
.sheet > * { flex: none; }
h1, h2, h3, p, ul, figure { margin: 0; }
ul { padding-left: 4mm; }
h2 { font-size: 10pt; border-bottom: .4mm solid var(--ink); padding-bottom: .6mm; margin-bottom: 1mm; }
sup { font-size: .75em; line-height: 0; }
h3 { font-size: 8.6pt; margin: 1.2mm 0 .4mm; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .55mm 1.2mm .55mm 0; border-bottom: .1mm solid var(--line);
  font-weight: normal; }
thead th { font-weight: 600; color: var(--faint); border-bottom: .3mm solid var(--ink); }
.num, .numbers td { font-variant-numeric: tabular-nums; }
.sym { width: 1.05em; height: 1.05em; vertical-align: -.16em; margin-right: .25em; flex: none; }
.faint { color: var(--faint); }
.small { font-size: 7.4pt; }
.nowrap { white-space: nowrap; }

.head { display: flex; align-items: stretch; gap: 5mm; border-bottom: .8mm solid var(--ink); padding-bottom: 1.6mm; }
.level { font-size: 52pt; font-weight: 800; line-height: .92; letter-spacing: -.02em; }
.head .what { flex: 1; align-self: center; }
.head .what .approach { font-size: 17pt; font-weight: 700; line-height: 1.12; }
.head .refused { font-size: 24pt; color: var(--breach); }
.head .case { text-align: right; font-size: 7.4pt; color: var(--faint); max-width: 50mm; overflow-wrap: anywhere; }
.head .case b { color: var(--ink); font-size: 9pt; }
.record-head .level { font-size: 26pt; }
.record-head .what .approach { font-size: 12pt; }

.warning { display: flex; gap: 1mm; padding: 1mm 2mm; border: .5mm solid var(--tight); border-left-width: 2.4mm;
  margin-bottom: 1mm; }
.warning .sym { width: 4.4mm; height: 4.4mm; margin-top: .2mm; }
.loud.many { display: grid; grid-template-columns: 1fr 1fr; gap: 1mm 2mm; }
.loud.many .warning { margin: 0; padding: .6mm 1.4mm; }
.loud.many .stop { grid-column: 1 / -1; }
.warning.stop { border-color: var(--breach); font-size: 10.5pt; font-weight: 700; }
.warning.caution { font-size: 8.8pt; }
.warning, .keys, .head { break-inside: avoid; }
.warning.info { border: 0; border-left: .8mm solid var(--info); padding: .2mm 1.6mm; font-size: 7.6pt; }
.warning.info .sym { display: none; }
.none { color: var(--faint); }
details > summary { cursor: pointer; color: var(--faint); }

.keys { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; border: .3mm solid var(--ink); }
.key { padding: .8mm 2.4mm 1mm; border-left: .3mm solid var(--ink); }
.key:first-child { border-left: 0; }
.key .label { color: var(--faint); font-size: 7.4pt; }
.key .value { font-size: 15pt; font-weight: 700; line-height: 1.1; white-space: nowrap; }
.key .more { font-size: 7.8pt; }

.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 4mm; }
.side { border: .3mm solid var(--line); border-top: 1.6mm solid var(--line); padding: 1.2mm 2.2mm;
  break-inside: avoid; }
.side.safe { border-top-color: var(--safe); } .side.tight { border-top-color: var(--tight); }
.side.breach { border-top-color: var(--breach); }
.side .title { display: flex; justify-content: space-between; align-items: baseline; }
.side .title .name { font-size: 15pt; font-weight: 800; }
.side .title .state { font-weight: 700; font-size: 10pt; }
.carm { background: #f1f1f1; padding: 1mm 1.8mm; margin: 1mm 0; }
.carm .turn { font-size: 11.5pt; font-weight: 700; line-height: 1.2; }
.side .compromise { background: #fff3d6; padding: .6mm 1.6mm; margin-bottom: 1mm; }
.side .compromise.bad { background: #fbe3d6; }
.side th { color: var(--faint); white-space: nowrap; padding-right: 2.4mm; }
.side th, .side td { padding-top: .35mm; padding-bottom: .35mm; line-height: 1.25; }
.side td { font-weight: 600; } .side td .plain { font-weight: 400; }
.side .gauge { font-size: 9pt; font-weight: 600; color: var(--faint); }
.walls { display: grid; grid-template-columns: repeat(3, 1fr); gap: 1mm 2mm; margin-top: 1.2mm; }
.wall b { font-size: 9.4pt; white-space: nowrap; }
.wall .bar { display: block; width: 100%; height: 2.2mm; }
.wall .small { font-size: 6.8pt; line-height: 1.15; color: var(--faint); }
.wall.breach { background: #fbe3d6; } .wall.tight { background: #fff3d6; }
.side.skipped { border-style: dashed; }
.side.skipped .reason { font-size: 15pt; font-weight: 700; line-height: 1.25; margin-top: 2mm; }
.side.skipped .reason.long { font-size: 11.5pt; }
.side.unused .reason { font-size: 11pt; color: var(--faint); margin-top: 2mm; }

.pictures { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); grid-auto-rows: minmax(0, 1fr);
  gap: 1.4mm 1.6mm; flex: 1 1 0; min-height: 56mm; break-inside: avoid; }
.pictures.one-row { min-height: 32mm; }
.pictures figure { break-inside: avoid; display: flex; flex-direction: column; min-height: 0; }
.pictures figure > svg { display: block; width: 100%; height: auto; flex: 1 1 0; min-height: 0; }
.pictures figcaption { font-size: 6.4pt; line-height: 1.15; color: var(--faint); flex: none; padding-bottom: .4mm; }
.no-pictures { font-size: 7.6pt; color: var(--faint); }

.operator.dense { gap: 1.4mm; } .operator.dense .pictures { min-height: 48mm; }
.operator.dense .level { font-size: 40pt; } .operator.dense .head { padding-bottom: 1mm; }
.operator.dense .loud .warning { padding: .3mm 1.2mm; } .operator.dense .loud.many { gap: .8mm 1.6mm; }
.operator.dense .warning.caution { font-size: 7.4pt; line-height: 1.22; }
.operator.dense .warning .sym { width: 3.6mm; height: 3.6mm; }
.operator.dense .key { padding: .4mm 2mm .5mm; } .operator.dense .key .value { font-size: 12.5pt; }
.operator.dense .side { padding: .8mm 1.8mm; font-size: 8.2pt; } .operator.dense .side .title .name { font-size: 12.5pt; }
.operator.dense .carm { padding: .6mm 1.6mm; margin: .5mm 0; } .operator.dense .carm .turn { font-size: 10pt; }
.operator.dense .side th, .operator.dense .side td { padding-top: .2mm; padding-bottom: .2mm; line-height: 1.2; }
.operator.dense .walls { margin-top: .6mm; gap: .4mm 2mm; }

.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 1mm 5mm; }
.record.dense .pictures.one-row { min-height: 28mm; }
.record.dense { font-size: 6.7pt; line-height: 1.18; gap: 1.1mm; }
.record.dense .notes .warning { font-size: 6.4pt; line-height: 1.15; }
.columns.uneven { grid-template-columns: 1.75fr 1fr; }
.record { font-size: 7.1pt; line-height: 1.22; gap: 1.5mm; }
.notes { columns: 2; column-gap: 4mm; }
.notes .warning { break-inside: avoid; margin-bottom: .5mm; font-size: 6.8pt; line-height: 1.2; }
.assumed.rows th { width: 50mm; } .assumed td:nth-child(2) { width: 19mm; } .assumed td:last-child { width: 41mm; }
.rows th { width: 34mm; color: var(--faint); }
.record h2 { font-size: 8.8pt; margin-bottom: .5mm; }
.record th, .record td { padding: .2mm 1.2mm .2mm 0; }
.record .tag { white-space: nowrap; }
.memory { background: #fff3d6; font-weight: 600; }
.checksum { font: 6pt/1.2 "DejaVu Sans Mono", Consolas, Menlo, monospace; overflow-wrap: anywhere; }
.path { overflow-wrap: anywhere; }
.foot { margin-top: auto; break-before: avoid; display: flex; justify-content: space-between; gap: 4mm;
  border-top: .3mm solid var(--line); padding-top: .8mm; font-size: 7pt; color: var(--faint); }
.foot b { color: var(--ink); }
.overview table td, .overview table th { padding: 1.2mm 2mm 1.2mm 0; }
.overview tbody th { font-size: 17pt; font-weight: 800; line-height: 1; white-space: nowrap; }
.overview tbody .minor th { font-size: 9pt; color: var(--faint); }
.overview .minor td { color: var(--faint); padding: .7mm 2mm .7mm 0; }
.overview .minor th { padding: .7mm 2mm .7mm 0; }
.overview .needle { white-space: nowrap; }
.overview .levels { table-layout: fixed; }
.levels th:nth-child(1) { width: 19mm; } .levels th:nth-child(2) { width: 46mm; }
.levels th:nth-child(5) { width: 18mm; } .levels th:nth-child(6) { width: 27mm; }
.overview tbody tr { break-inside: avoid; }
.overview .compact td { padding: .6mm 2mm .6mm 0; } .overview .compact tbody th { font-size: 15pt; padding: .8mm 2mm 0 0; }
.levels.compact th:nth-child(2) { width: 52mm; }
.overview .large { break-inside: avoid; display: flex; flex-direction: column; flex: 1 1 0; min-height: 60mm;
  max-height: 102mm; }
.overview .large.two-rows { min-height: 116mm; max-height: 200mm; }
.overview .large.next-sheet { flex: none; height: 102mm; } .overview .large.two-rows.next-sheet { height: 200mm; }
.overview .large .pictures { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 2mm 3mm; min-height: 0; }
.overview .notes { columns: 1; }
.overview .notes .warning { font-size: 8pt; }

@media print { .sheet { min-height: 276mm; break-after: page; } .sheet:last-child { break-after: auto; }
  .screen-only, details { display: none; } }
@media screen { body { background: #8a8f94; padding: 8mm 0; }
  .sheet { background: #fff; width: 210mm; min-height: 297mm; margin: 0 auto 8mm; padding: 10mm 11mm; }
  .print-only { display: none; } }
@media screen and (max-width: 215mm) { body { padding: 0; } .sheet { width: auto; min-height: 0; padding: 4mm; }
  .wide { overflow-x: auto; } .wide > table { min-width: 178mm; } }
@media screen and (max-width: 160mm) {
  .head { flex-wrap: wrap; gap: 1mm 4mm; } .head .what { flex-basis: 60%; } .head .case { max-width: none; text-align: left; }
  .loud.many, .sides, .columns, .columns.uneven { grid-template-columns: minmax(0, 1fr); }
  .keys { grid-auto-flow: row; grid-template-columns: 1fr 1fr; } .key { border-left: 0; }
  .key .value { white-space: normal; }
  .side th { white-space: normal; }
  .notes { columns: 1; }
  .pictures, .overview .large .pictures { grid-template-columns: repeat(2, minmax(0, 1fr)); grid-auto-rows: auto; }
  .pictures, .pictures.one-row, .record.dense .pictures.one-row { flex: none; min-height: 0; }
  .overview .large, .overview .large.two-rows { flex: none; height: auto; min-height: 0; max-height: none; }
  .pictures figure > svg { flex: none; }
  .foot { flex-wrap: wrap; } }
"""

STYLE = _SHEET.replace("SAFE", BLUISH_GREEN).replace("TIGHT", ORANGE).replace("BREACH", VERMILION).replace("INFO", BLUE)
"""CSS text, to stand in a ``style`` element."""
