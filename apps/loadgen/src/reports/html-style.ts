export const reportStyle = `
:root { color-scheme: light dark; --text: #1c2430; --muted: #5d6978; --page: #f5f6f8; --card: #fff; --edge: #d8dde4;
  --good: #14713a; --bad: #b3261e; --unsure: #8a5a00; --a: #2563c9; --b: #c2560c; --c: #9aa5b4; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e9f0; --muted: #9aa6b5; --page: #12161c; --card: #1b212a; --edge: #333d4a;
    --good: #5fce8b; --bad: #ff8a80; --unsure: #f0bd5a; --a: #7fb0ff; --b: #ffa366; --c: #66717f; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 24px 16px 64px; }
header { background: var(--card); border: 1px solid var(--edge); border-left: 8px solid; border-radius: 8px;
  padding: 16px 20px; }
header.pass { border-left-color: var(--good); } header.pass h1 { color: var(--good); }
header.fail { border-left-color: var(--bad); } header.fail h1 { color: var(--bad); }
header.inconclusive { border-left-color: var(--unsure); } header.inconclusive h1 { color: var(--unsure); }
h1 { margin: 0; font-size: 26px; } h2 { font-size: 18px; margin: 32px 0 8px; }
header p { margin: 4px 0 0; } header ul { margin: 8px 0 0; padding-left: 20px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 16px; }
.card { background: var(--card); border: 1px solid var(--edge); border-radius: 8px; padding: 12px 16px;
  color: var(--muted); }
.card b { display: block; font-size: 22px; color: var(--text); font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--edge); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 6px 14px; border-bottom: 1px solid var(--edge); }
tbody tr:last-child td { border-bottom: 0; }
th { color: var(--muted); font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
.unsure { color: var(--unsure); font-weight: 600; } .muted { color: var(--muted); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(460px, 100%), 1fr)); gap: 12px; }
figure { margin: 0 0 12px; background: var(--card); border: 1px solid var(--edge); border-radius: 8px;
  padding: 12px 16px; }
figcaption { font-weight: 600; } small { color: var(--muted); font-weight: 400; }
svg { display: block; width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--muted); }
.grid { stroke: var(--edge); stroke-width: 1; }
.limit { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 5 4; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.line.a { stroke: var(--a); } .line.b { stroke: var(--b); } .line.c { stroke: var(--c); }
.bar { fill: var(--a); } .bar.over { fill: var(--bad); }
.whisker { stroke: var(--c); stroke-width: 2; } .tick { stroke: var(--card); stroke-width: 2; }
.legend { margin: 4px 0 0; font-size: 13px; color: var(--muted); }
.key::before { content: ''; display: inline-block; width: 14px; height: 0; border-top: 3px solid;
  vertical-align: middle; margin: 0 5px 0 8px; }
.key.a::before { border-color: var(--a); } .key.b::before { border-color: var(--b); }
.key.c::before { border-color: var(--c); } .key.limit::before { border-color: var(--bad); border-top-style: dashed; }
details { margin-top: 12px; } pre { overflow-x: auto; background: var(--card); padding: 12px; border-radius: 8px; }
@media print { body { background: #fff; } section { break-inside: avoid; } }
`;
