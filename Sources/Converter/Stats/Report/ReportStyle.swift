/// The styles of a report: light and dark by the reader's preference or a button, and print.
enum ReportStyle {
  /// The style sheet.
  static let css = HTML(stringLiteral: sheet)

  /// Colors of the depth of blocks, from the first to the last.
  private static let depths: [(light: String, dark: String)] = [
    ("7aa7d6", "4a73a0"), ("739ecd", "557ca6"), ("6b96c4", "6085ad"), ("648dbb", "6b8db3"),
    ("5d84b2", "7696b9"), ("557ba9", "819fc0"), ("4e73a0", "8ca8c6"), ("476a97", "97b1cc"),
    ("3f618f", "a1b9d3"), ("385886", "acc2d9"), ("31507d", "b7cbdf"), ("294774", "c2d4e6"),
    ("223e6b", "cdddec"), ("1b3562", "d8e5f2"), ("132d59", "e3eef9"), ("0c2450", "eef7ff"),
  ]

  private static let light =
    """
    color-scheme:light;--bg:#fdfdfc;--panel:#fff;--ink:#1b2027;--muted:#5b6570;--line:#e2e5e9;\
    --grid:#eceef1;--axis:#9aa3ad;--accent:#1d5fa8;--band:#eef3f0;--problem:#b3202c;\
    --warning:#9a5700;--note:#3c6690;--mark:#fdf5e8;--embedding:#0b6fb0;--attention:#b4490b;\
    --mlp:#08774f;--head:#7a52b3;--norm:#5f6771;--other:#5f6771;
    """ + depths.enumerated().map { "--d\($0.offset):#\($0.element.light);" }.joined()

  private static let dark =
    """
    color-scheme:dark;--bg:#13161b;--panel:#1a1e25;--ink:#e4e7eb;--muted:#9ba5b1;--line:#2b313a;\
    --grid:#22272f;--axis:#5d6773;--accent:#6cb0f2;--band:#1a2324;--problem:#ff7b82;\
    --warning:#f0b04c;--note:#8fbcec;--mark:#2a2315;--embedding:#58aef0;--attention:#f28e4e;\
    --mlp:#3cc79a;--head:#b797ee;--norm:#a3acb8;--other:#a3acb8;
    """ + depths.enumerated().map { "--d\($0.offset):#\($0.element.dark);" }.joined()

  private static let colors =
    ParameterRole.allCases.map { ".m-\($0.rawValue){color:var(--\($0.rawValue))}" }.joined()
    + depths.indices.map { ".d\($0){color:var(--d\($0))}" }.joined()

  private static let viridis = IndexedPNG.anchors
    .map { "rgb(\($0.red),\($0.green),\($0.blue))" }.joined(separator: ",")

  private static let sans =
    "system-ui,-apple-system,\"Segoe UI\",\"Liberation Sans\",Roboto,sans-serif"

  private static let sheet = """
    :root{\(light)}
    @media(prefers-color-scheme:dark){:root:not([data-theme=light]){\(dark)}}
    :root[data-theme=dark]{\(dark)}
    *{box-sizing:border-box}html{-webkit-text-size-adjust:100%}
    body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 \(sans);\
    font-variant-numeric:tabular-nums}
    main,header,footer{max-width:1240px;margin:0 auto;padding:0 24px}
    header{padding-top:30px}h1{font-size:27px;line-height:1.2;margin:0;overflow-wrap:anywhere}
    .top{display:flex;gap:16px;align-items:flex-start;justify-content:space-between}
    h2{font-size:19px;margin:44px 0 4px}h3{font-size:14.5px;margin:0;font-weight:600}
    h1,h2{font-weight:650;letter-spacing:-.008em}
    code{font:.92em ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",Consolas,monospace;\
    overflow-wrap:anywhere}
    .muted,.lead,figcaption p,.facts dt{color:var(--muted)}.lead{margin:2px 0 14px;max-width:74ch}
    .facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:10px 24px;\
    margin:20px 0 0;border:solid var(--line);border-width:1px 0;padding:12px 0}
    .facts div{min-width:0}.facts dt{font-size:12.5px}\
    .facts dd{margin:0;font-size:16.5px;font-weight:560;overflow-wrap:anywhere}
    .findings{list-style:none;margin:12px 0 0;padding:0;border-top:1px solid var(--line)}
    .findings li{display:grid;grid-template-columns:84px 104px minmax(0,1fr);gap:12px;\
    padding:10px 0;border-bottom:1px solid var(--line)}
    .findings p{margin:0;max-width:90ch}.step{color:var(--muted);font-size:13.5px;\
    overflow-wrap:anywhere}
    .sev{font-weight:650;font-size:13px}.sev::before{content:"";display:inline-block;width:9px;\
    height:9px;margin-right:7px;border-radius:50%;background:currentColor}
    .warning .sev::before{border-radius:0;clip-path:polygon(50% 0,100% 100%,0 100%)}\
    .problem .sev::before{border-radius:0}
    .problem .sev{color:var(--problem)}.warning .sev{color:var(--warning)}\
    .note .sev{color:var(--note)}
    details{margin-top:10px}summary{cursor:pointer;color:var(--muted)}
    a{color:inherit;text-decoration-color:var(--axis);text-underline-offset:2.5px}\
    a:hover{text-decoration-color:currentColor}
    .grid{display:grid;gap:26px 30px}\
    .three{grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr))}\
    .four{grid-template-columns:repeat(auto-fit,minmax(min(100%,272px),1fr))}
    .panel{margin:0;min-width:0}figcaption{margin-bottom:6px}\
    figcaption p{margin:0;font-size:13px;line-height:1.4;overflow-wrap:anywhere}
    svg.chart{display:block;width:100%;height:auto;max-width:520px;overflow:visible;\
    touch-action:pan-y}
    :focus-visible{outline:2px solid var(--accent);outline-offset:3px;border-radius:2px}
    svg text{font:10.5px \(sans);fill:var(--muted);font-variant-numeric:tabular-nums}
    .four svg text{font-size:12.5px}svg .end{font-size:11.5px;font-weight:560;fill:currentColor}\
    svg .power{font-size:8px}
    line.grid{stroke:var(--grid)}.axis,.tickmark{stroke:var(--axis)}\
    .ref{stroke:var(--axis);stroke-dasharray:2 3}.band{fill:var(--band)}
    .line{fill:none;stroke:currentColor;stroke-width:1.5;stroke-linejoin:round;\
    stroke-linecap:round;vector-effect:non-scaling-stroke}.one{color:var(--accent)}
    .lit .line{opacity:.16}.lit .line.on{opacity:1;stroke-width:2.4}
    .cursor{stroke:var(--ink);visibility:hidden;pointer-events:none;opacity:.55;\
    vector-effect:non-scaling-stroke}.heat .cursor{stroke:#fff;opacity:.9}\
    .hover .cursor{visibility:visible}
    .mark line{stroke:var(--note);stroke-dasharray:1 3}.mark path{fill:var(--note)}\
    .mark.warning line{stroke:var(--warning)}.mark.warning path{fill:var(--warning)}\
    .mark.problem line{stroke:var(--problem)}.mark.problem path{fill:var(--problem)}
    image{image-rendering:pixelated}.way{stroke:currentColor;stroke-width:1.4}\
    .stop{fill:currentColor}.stop.warn{fill:var(--warning)}\
    .frame{fill:none;stroke:var(--line)}.ridge{fill:var(--bg);stroke:currentColor;\
    stroke-width:1.25}
    \(colors)
    .scale{display:flex;align-items:center;gap:8px;font-size:12.5px;color:var(--muted);\
    margin-top:8px}.scale i{flex:0 0 120px;height:9px;border-radius:2px;\
    background:linear-gradient(90deg,\(viridis))}
    .keys{display:flex;align-items:center;gap:8px;font-size:12.5px;color:var(--muted)}\
    .keys i{width:120px;height:3px;\
    background:linear-gradient(90deg,var(--d0),var(--d5),var(--d10),var(--d15))}
    section>input[type=radio]{position:absolute;opacity:0;pointer-events:none}
    section>label{display:inline-block;padding:6px 2px 7px;margin:8px 22px 0 0;cursor:pointer;\
    color:var(--muted);border-bottom:2px solid transparent;font-weight:560}
    section>label:hover{color:var(--ink)}\
    section>input:checked+label{color:var(--ink);border-color:var(--accent)}\
    section>input:focus-visible+label{outline:2px solid var(--accent);outline-offset:2px}
    .tab{display:none;border-top:1px solid var(--line);padding-top:10px}\
    #t-rms:checked~#p-rms,#t-update:checked~#p-update,#t-gradient:checked~#p-gradient,\
    #t-kurtosis:checked~#p-kurtosis{display:block}
    .print,.js{display:none}.ready .js{display:flex}
    .only{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
    .wrap{overflow:auto;max-height:560px;margin-top:8px;border:solid var(--line);\
    border-width:1px 0;position:relative}
    table{border-collapse:collapse;width:100%;font-size:13.5px}\
    th,td{padding:4px 12px 4px 0;text-align:right;white-space:nowrap}\
    tbody th,.l{text-align:left}tbody th{font-weight:400}
    thead th{position:sticky;top:0;background:var(--bg);font-weight:600;z-index:1;padding-top:7px;\
    padding-bottom:7px;box-shadow:inset 0 -1px var(--line)}thead th:first-child{text-align:left}
    tbody tr+tr>*{border-top:1px solid var(--grid)}tbody tr:hover,tbody tr:target{background:var(--band)}
    tr.warning,tr.problem{background:var(--mark)}tr[class] th code::after{content:"";\
    display:inline-block;width:8px;height:8px;margin-left:8px;background:var(--note);\
    border-radius:50%}tr.warning th code::after{background:var(--warning);border-radius:0;\
    clip-path:polygon(50% 0,100% 100%,0 100%)}\
    tr.problem th code::after{background:var(--problem);border-radius:0}
    thead button{all:unset;cursor:pointer}thead button:focus-visible{outline:2px solid var(--accent)}\
    th[aria-sort=ascending] button::after{content:" ▲";font-size:9px}\
    th[aria-sort=descending] button::after{content:" ▼";font-size:9px}
    .spark{width:96px;height:20px;display:inline-block;vertical-align:middle}\
    .spark path{fill:none;stroke:var(--accent);stroke-width:1.2}
    .tools{gap:10px;align-items:center;flex-wrap:wrap;margin-top:8px}\
    input[type=search]{font:inherit;color:inherit;background:var(--panel);\
    border:1px solid var(--axis);border-radius:4px;padding:4px 9px;width:min(100%,300px)}
    button.plain{font:inherit;font-size:13px;color:var(--muted);background:none;\
    border:1px solid var(--line);border-radius:4px;padding:4px 10px;cursor:pointer;\
    white-space:nowrap}button.plain:hover{color:var(--ink);border-color:var(--axis)}
    #tip{position:fixed;z-index:9;pointer-events:none;background:var(--panel);color:var(--ink);\
    border:1px solid var(--axis);border-radius:4px;padding:6px 10px;font-size:12.5px;\
    line-height:1.45;max-width:280px;visibility:hidden}#tip table{font-size:12.5px;width:auto}\
    #tip td{padding:0 0 0 12px}#tip th{padding:0;text-align:left}#tip tr>*{border:0}
    dl.defs{display:grid;grid-template-columns:minmax(120px,190px) minmax(0,1fr);gap:6px 20px;\
    max-width:1000px;font-size:14px}dl.defs dt{font-weight:600}\
    dl.defs dd{margin:0;color:var(--muted)}
    footer{margin-top:44px;padding-top:12px;padding-bottom:40px;color:var(--muted);font-size:13px}
    @media(max-width:640px){main,header,footer{padding:0 14px}.findings li{\
    grid-template-columns:auto 1fr;gap:2px 12px}.findings p{grid-column:1/-1}\
    dl.defs{grid-template-columns:1fr;gap:0}dl.defs dd{margin-bottom:8px}}
    @media print{:root,:root[data-theme=dark],:root:not([data-theme=light]){\(light)}\
    body{font-size:11px;background:#fff}.js,section>input,section>label{display:none!important}\
    .tab,.print{display:block}.wrap{max-height:none;overflow:visible}thead th{position:static}\
    .panel,.findings li,tr{break-inside:avoid}h2,h3{break-after:avoid}a{text-decoration:none}\
    main,header,footer{max-width:none;padding:0}}

    """
}
