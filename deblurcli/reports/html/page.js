"use strict";
(() => {
  const PAGE = 100, BINS = 24;
  const NAMES = { restored: "Restored", sharp: "Sharp", baseline: "Blurred" };

  const number = (value) => (typeof value === "string" ? (value.startsWith("-") ? -Infinity : Infinity) : value);
  const folder = commonFolder(data.rows.map(([name]) => name));
  const rows = data.rows.map(([name, group, values, gains, slide, found], index) => ({
    index, name, short: name.slice(folder.length), group, slide, found, values: values.map(number), gains: gains.map(number),
  }));

  // A figure is a metric, or the gain in it: how it is read from a row, and which side of it is worse.
  const figures = data.metrics.flatMap((metric, index) => {
    const own = { ...metric, key: metric.name, metric: index, gain: false, of: (row) => row.values[index] };
    const gain = { ...own, key: `gain-${metric.name}`, higher: true, gain: true, of: (row) => row.gains[index] };
    return data.baseline ? [own, gain] : [own];
  });
  const figure = (key) => figures.find((each) => each.key === key);

  const state = {
    key: figures[0].key, down: !figures[0].higher, text: "", range: null,
    limit: { key: figures[0].key, side: figures[0].higher ? "under" : "over", value: null },
    found: [], drawn: 0, current: null, sides: null, circle: () => {},
  };

  // ---- making elements -------------------------------------------------------------------------------------------

  function draw(tag, attributes = {}, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function shown(value, of, signed = of.gain) {
    if (value === null || value === undefined) return "–";
    if (!Number.isFinite(value)) return value > 0 ? (signed ? "+∞" : "∞") : "−∞";
    const text = Math.abs(value).toFixed(of.digits);
    const sign = value < 0 ? "−" : signed && value > 0 ? "+" : "";
    return Number(text) === 0 && value < 0 ? text : sign + text;
  }

  const withUnit = (value, of) => (value === null || value === undefined || !of.unit ? shown(value, of) : `${shown(value, of)} ${of.unit}`);
  const titled = (of) => (of.gain ? `gain in ${of.name}` : of.name);

  // ---- head: places, gates, errors -------------------------------------------------------------------------------

  function drawHead() {
    const parts = [plural(rows.length, data.roles.includes("sharp") ? "pair" : "picture")];
    if (data.places.sharp) parts.push(`against ${data.places.sharp}`);
    if (data.places.baseline) parts.push(`gain over ${data.places.baseline}`);
    if (data.convention !== "tf") parts.push(`convention ${data.convention}`);
    if (data.cropBorder) parts.push(`${data.cropBorder} pixels cropped at every side`);
    if (folder) parts.push(`all in ${folder}`);
    if (data.missing) parts.push(`${data.missing} without a partner`);
    $("places").textContent = parts.join(" · ");
    $("places").after(make("p", { id: "means" }, ...figures.filter((of) => !of.gain).map((of) => make("span", {}, `${of.name} `, make("b", { textContent: withUnit(number(data.summary[of.key].mean), of) })))));
    for (const gate of data.gates) $("gates").append(gateCard(gate));
    $("gates").hidden = !data.gates.length;
    showErrors();
    $("about").append(
      ...data.metrics.map((metric) => make("p", {}, make("b", { textContent: metric.name }), ` – ${metric.definition}; ${metric.source}; ${metric.higher ? "higher" : "lower"} is better.`)),
      make("p", { textContent: "Made by deblurcli. Pictures are reduced and compressed for this page; scores are of the files." }),
    );
  }

  function gateCard(gate) {
    const of = figure(gate.key);
    const card = make("div", { className: `card gate${gate.passed ? "" : " failed"}` });
    const wanted = `${gate.on === "mean" ? "mean " : "each "}${gate.key} ${gate.higher ? "≥" : "≤"} ${gate.limit}`;
    const missed = gate.failing ? `, ${plural(gate.failing, "picture")} ${gate.failing === 1 ? "misses" : "miss"} it` : "";
    card.append(
      make("span", { className: "mark", textContent: gate.passed ? "✓" : "✗" }),
      make("span", {}, make("b", { textContent: wanted }), make("br"), make("span", { className: "faint", textContent: `${gate.passed ? "passed" : "failed"}, mean ${withUnit(number(gate.mean), of)}${missed}` })),
    );
    if (gate.failing) {
      const button = make("button", { type: "button", textContent: "Show" });
      button.addEventListener("click", () => setLimit(gate.key, gate.higher ? "under" : "over", gate.limit));
      card.append(button);
    }
    return card;
  }

  // ---- tiles with histograms -------------------------------------------------------------------------------------

  function drawTiles() {
    for (const of of figures.filter((each) => !each.gain)) {
      const found = data.summary[of.key];
      const tile = make("div", { className: "card tile", title: `${of.definition} (${of.source})` });
      const value = make("div", { className: "value", textContent: shown(number(found.mean), of) });
      if (of.unit) value.append(make("small", { textContent: of.unit }));
      if (data.baseline) {
        const gain = number(data.summary[`gain-${of.key}`].mean);
        value.append(make("span", { className: `chip ${tone(gain, of)}`, title: "mean gain over the baseline", textContent: inWords(gain, of) }));
      }
      const endless = found.infinite ? ` · ${found.infinite} infinite` : "";
      tile.append(
        make("div", { className: "name" }, make("b", { textContent: of.name }), make("span", { textContent: `${of.higher ? "↑ higher" : "↓ lower"} is better` })),
        value,
        make("div", { className: "faint", textContent: `mean of ${found.count.toLocaleString("en")} · median ${shown(number(found.median), of)}${endless}` }),
        of.chart = make("div", { className: "histogram" }),
      );
      $("tiles").append(tile);
    }
  }

  const isNone = (gain, of) => gain === null || gain === undefined || Number(gain.toFixed(of.digits)) === 0;
  const tone = (gain, of) => (isNone(gain, of) ? "" : gain > 0 ? "good" : "bad");

  /** A gain in words: no sign stands beside it that could be read the other way round. */
  function inWords(gain, of) {
    if (isNone(gain, of)) return "no change";
    return `${gain > 0 ? "better" : "worse"} by ${shown(Math.abs(gain), of, false)}`;
  }

  function bins(of) {
    const values = rows.map(of.of).filter(Number.isFinite);
    if (!values.length) return null;
    let low = Infinity, high = -Infinity;
    for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
    const span = high - low || Math.abs(high) * 1e-6 || 1e-6;
    return { low, high, span, at: (value) => Math.min(BINS - 1, Math.floor(((value - low) / span) * BINS)) };
  }

  function counts(of, scale, some) {
    const found = new Array(BINS).fill(0);
    for (const row of some) if (Number.isFinite(of.of(row))) found[scale.at(of.of(row))] += 1;
    return found;
  }

  function drawHistogram(of) {
    const scale = bins(of);
    if (!scale) return;
    const width = of.chart.clientWidth || 240, height = 72, step = width / BINS;
    const all = counts(of, scale, rows), part = counts(of, scale, state.found);
    const most = Math.max(...all);
    const tall = (count) => (count ? Math.max(2, (count / most) * height) : 0);
    const picture = draw("svg", { viewBox: `0 0 ${width} ${height + 18}`, role: "img", "aria-label": `Histogram of ${of.name}, from ${withUnit(scale.low, of)} to ${withUnit(scale.high, of)}` });
    for (let bin = 0; bin < BINS; bin += 1) {
      const place = { x: bin * step + 0.75, width: step - 1.5, rx: 1.5 };
      picture.append(draw("rect", { ...place, y: height - tall(all[bin]), height: tall(all[bin]), class: "all" }));
      picture.append(draw("rect", { ...place, y: height - tall(part[bin]), height: tall(part[bin]), class: "part" }));
      const from = scale.low + (bin * scale.span) / BINS, to = from + scale.span / BINS;
      const label = draw("title", {}, `${shown(from, of)} to ${shown(to, of)}: ${plural(all[bin], "picture")}`);
      const hit = draw("rect", { x: bin * step, width: step, y: 0, height, class: "hit" }, label);
      hit.addEventListener("click", () => { state.range = { key: of.key, bin, scale, text: `${of.name} from ${shown(from, of)} to ${shown(to, of)}` }; refresh(); });
      picture.append(hit);
    }
    const marks = [[number(data.summary[of.key].mean), "mean"], ...data.gates.filter((gate) => gate.key === of.key).map((gate) => [gate.limit, "limit"])];
    for (const [value, name] of marks) {
      const x = ((value - scale.low) / scale.span) * width;
      if (x >= 0 && x <= width) picture.append(draw("line", { x1: x, x2: x, y1: -4, y2: height, class: name }));
    }
    picture.append(
      draw("line", { x1: 0, x2: width, y1: height + 0.5, y2: height + 0.5, class: "axis" }),
      draw("text", { x: 0, y: height + 14 }, shown(scale.low, of)),
      draw("text", { x: width, y: height + 14, "text-anchor": "end" }, shown(scale.high, of)),
    );
    of.chart.replaceChildren(picture);
  }

  // ---- scatter of gain against the baseline ----------------------------------------------------------------------

  const TALL = 280, LEFT = 60, BOTTOM = 38, TOP = 8, RIGHT = 8;
  let WIDE = 640;

  function ticks(low, high) {
    const rough = (high - low) / 5 || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
    const found = [];
    for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-6; at += step) found.push(at);
    return { found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
  }

  function before(row, of) {
    const value = row.values[of.metric], gain = row.gains[of.metric];
    return figures.find((each) => each.metric === of.metric && !each.gain).higher ? value - gain : value + gain;
  }

  function spread(values, withZero) {
    let low = withZero ? 0 : Infinity, high = withZero ? 0 : -Infinity;
    for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
    const room = (high - low || Math.abs(high) || 1) * 0.05;
    return [low - room, high + room];
  }

  function drawScatter() {
    const of = figure($("scatter-metric").value);
    const points = rows.map((row) => ({ row, x: before(row, of), y: row.gains[of.metric] }))
      .filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y) && point.row.gains[of.metric] !== null);
    const plot = $("scatter").querySelector(".plot");
    plot.replaceChildren();
    WIDE = plot.clientWidth || 640;
    if (!points.length) return plot.append(make("p", { className: "faint", textContent: "No finite gain to show." }));
    const [x0, x1] = spread(points.map((point) => point.x), false), [y0, y1] = spread(points.map((point) => point.y), true);
    const place = (point) => {
      point.left = LEFT + ((point.x - x0) / (x1 - x0)) * (WIDE - LEFT - RIGHT);
      point.top = TOP + ((y1 - point.y) / (y1 - y0)) * (TALL - TOP - BOTTOM);
    };
    points.forEach(place);
    const picture = draw("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, role: "img", "aria-label": `Gain in ${of.name} against the baseline's ${of.name}, ${points.length} pictures` });
    drawAxes(picture, of, [x0, x1], [y0, y1]);
    const found = new Set(state.found);
    const dots = { out: [], up: [], down: [] };
    for (const point of points) dots[found.has(point.row) ? (point.y < 0 ? "down" : "up") : "out"].push(`M${point.left.toFixed(1)} ${point.top.toFixed(1)}h0`);
    for (const [name, path] of Object.entries(dots)) picture.append(draw("path", { d: path.join("") || "M0 0", class: name }));
    const here = draw("circle", { r: 6, class: "here", cx: -20, cy: -20 });
    state.circle = () => {
      const current = points.find((point) => point.row === state.current);
      here.setAttribute("cx", current ? current.left : -20);
      here.setAttribute("cy", current ? current.top : -20);
    };
    state.circle();
    const catcher = draw("rect", { x: LEFT, y: 0, width: WIDE - LEFT, height: TALL - BOTTOM, class: "catcher" });
    picture.append(here, catcher);
    const tip = make("div", { className: "tip", hidden: true });
    plot.append(picture, tip);
    watchScatter(picture, catcher, points, tip, of);
  }

  function drawAxes(picture, of, [x0, x1], [y0, y1]) {
    const along = ticks(x0, x1), up = ticks(y0, y1);
    for (const at of up.found) {
      const y = TOP + ((y1 - at) / (y1 - y0)) * (TALL - TOP - BOTTOM);
      const zero = Math.abs(at) < 1e-12;
      picture.append(draw("line", { x1: LEFT, x2: WIDE - RIGHT, y1: y, y2: y, class: zero ? "zero" : "axis" }));
      picture.append(draw("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, (at > 0 && !zero ? "+" : "") + (zero ? "0" : at.toFixed(up.digits)).replace("-", "−")));
    }
    for (const at of along.found) {
      const x = LEFT + ((at - x0) / (x1 - x0)) * (WIDE - LEFT - RIGHT);
      picture.append(draw("text", { x, y: TALL - BOTTOM + 16, "text-anchor": "middle" }, at.toFixed(along.digits).replace("-", "−")));
    }
    picture.append(draw("text", { x: (LEFT + WIDE) / 2, y: TALL - 2, "text-anchor": "middle" }, `baseline's ${of.name}${of.unit ? ` in ${of.unit}` : ""}`));
  }

  function watchScatter(picture, catcher, points, tip, of) {
    const nearest = (event) => {
      const box = picture.getBoundingClientRect(), zoom = WIDE / box.width;
      const x = (event.clientX - box.left) * zoom, y = (event.clientY - box.top) * zoom;
      let best = null, least = 24 ** 2;
      for (const point of points) {
        const distance = (point.left - x) ** 2 + (point.top - y) ** 2;
        if (distance < least) { best = point; least = distance; }
      }
      return best;
    };
    catcher.addEventListener("pointermove", (event) => {
      const point = nearest(event);
      tip.hidden = !point;
      if (!point) return;
      tip.textContent = `${point.row.short}: ${shown(point.y, of, true)}${of.unit ? ` ${of.unit}` : ""}`;
      tip.style.left = `${(point.left / WIDE) * 100}%`;
      tip.style.top = `${(point.top / TALL) * 100}%`;
    });
    catcher.addEventListener("pointerleave", () => { tip.hidden = true; });
    catcher.addEventListener("click", (event) => { const point = nearest(event); if (point) select(point.row, true); });
  }

  // ---- groups ----------------------------------------------------------------------------------------------------

  function drawGroups() {
    if (!data.groups.length) return;
    $("groups").hidden = false;
    const head = make("tr", {}, ...["group", "pictures", ...figures.map((of) => (of.gain ? "gain" : of.name))].map((text) => make("th", { textContent: text, scope: "col" })));
    const lines = data.groups.map((group) => make("tr", {}, make("td", { className: "words", textContent: group.name }), make("td", { textContent: group.count }), ...figures.map((of) => gainCell(number(group.means[of.key]), of))));
    $("groups").querySelector("table").append(make("thead", {}, head), make("tbody", {}, ...lines));
  }

  function gainCell(value, of) {
    return make("td", { textContent: shown(value, of), className: of.gain ? tone(value, of) : "" });
  }

  // ---- table -----------------------------------------------------------------------------------------------------

  function drawTableHead() {
    const line = $("table").querySelector("thead tr");
    line.append(make("th", { className: "thumb", scope: "col" }, make("span", { className: "hidden", textContent: "picture" })));
    const columns = [["name", "name"], ...(data.grouped ? [["group", "group"]] : []), ...figures.map((of) => [of.key, of.gain ? "gain" : of.name])];
    for (const [key, text] of columns) {
      const of = figure(key);
      const button = make("button", { type: "button", textContent: text, title: of ? titled(of) : "" });
      button.dataset.key = key;
      button.addEventListener("click", () => sortBy(key));
      line.append(make("th", { scope: "col", className: of ? "" : "words" }, button));
    }
  }

  /** Worst first at the first click, best first at the second. */
  function sortBy(key) {
    const of = figure(key);
    state.down = state.key === key ? !state.down : of ? !of.higher : false;
    state.key = key;
    refresh();
  }

  function compare(a, b) {
    const of = figure(state.key);
    const [left, right] = of ? [of.of(a), of.of(b)] : [a[state.key], b[state.key]];
    const none = (value) => value === null || value === undefined;
    if (none(left) || none(right)) return none(left) - none(right) || a.index - b.index;
    const order = left < right ? -1 : left > right ? 1 : 0;
    return (state.down ? -order : order) || a.index - b.index;
  }

  function fits(row) {
    const text = state.text.toLowerCase();
    if (text && ![row.name, row.group, row.found].some((each) => each.toLowerCase().includes(text))) return false;
    if (state.range) {
      const value = figure(state.range.key).of(row);
      if (!Number.isFinite(value) || state.range.scale.at(value) !== state.range.bin) return false;
    }
    const { key, side, value } = state.limit;
    if (value === null) return true;
    const own = figure(key).of(row);
    return own !== null && own !== undefined && (side === "under" ? own < value : own > value);
  }

  function refresh() {
    state.found = rows.filter(fits).sort(compare);
    state.drawn = 0;
    $("table").querySelector("tbody").replaceChildren();
    for (const cell of $("table").querySelectorAll("thead th")) {
      const mine = cell.querySelector("button")?.dataset.key === state.key;
      if (mine) cell.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    const all = state.found.length === rows.length;
    $("count").textContent = all ? plural(rows.length, "picture") : `${state.found.length.toLocaleString("en")} of ${plural(rows.length, "picture")}`;
    if (state.range) $("count").textContent += ` · ${state.range.text}`;
    drawMore();
    drawCharts();
    if (!state.found.includes(state.current)) select(state.found[0] ?? state.current);
    else mark();
  }

  function drawCharts() {
    for (const of of figures) if (of.chart) drawHistogram(of);
    if (data.baseline) drawScatter();
  }

  function drawMore() {
    const next = state.found.slice(state.drawn, state.drawn + PAGE);
    $("table").querySelector("tbody").append(...next.map(line));
    state.drawn += next.length;
    $("more").hidden = state.drawn >= state.found.length;
  }

  function line(row) {
    const button = make("button", { type: "button", title: row.name }, ...spelled(row.short));
    const thumb = make("td", { className: "thumb" });
    const held = $(`t${row.index}`);
    if (held) thumb.append(make("img", { alt: "", loading: "lazy", decoding: "async", src: held.textContent }));
    const cells = [thumb, make("td", { className: "words" }, button)];
    if (data.grouped) cells.push(make("td", { className: "words", textContent: row.group }));
    const made = make("tr", {}, ...cells, ...figures.map((of) => gainCell(of.of(row), of)));
    made.dataset.index = row.index;
    made.addEventListener("click", () => select(row));
    return made;
  }

  function mark() {
    for (const each of $("table").querySelectorAll("tbody tr")) {
      if (state.current && Number(each.dataset.index) === state.current.index) each.setAttribute("aria-current", "true");
      else each.removeAttribute("aria-current");
    }
  }

  // ---- the picture looked at -------------------------------------------------------------------------------------

  /** Which two kinds of pictures may be compared; the first of them is what people ask for. */
  function sides() {
    const has = (role) => data.roles.includes(role);
    return [["baseline", "restored"], ["restored", "sharp"], ["baseline", "sharp"]].filter((pair) => pair.every(has));
  }

  function drawSides() {
    const choices = sides();
    state.sides = choices[0] ?? ["restored"];
    const names = choices.map((pair) => pair.map((role) => NAMES[role].toLowerCase()).join(" | "));
    stage.offer(names, (index) => { state.sides = choices[index]; look(); });
    $("difference-label").hidden = !choices.length;
  }

  function select(row, reveal = false) {
    if (!row) return;
    state.current = row;
    while (reveal && state.found.indexOf(row) >= state.drawn && state.drawn < state.found.length) drawMore();
    mark();
    look();
    state.circle();
    if (reveal) $("table").querySelector("tr[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  function look() {
    const row = state.current;
    $("viewer").hidden = false;
    const rank = state.found.indexOf(row);
    $("shown").replaceChildren(...spelled(row.short));
    $("shown").title = `${row.name}, ${rank + 1} of ${state.found.length}`;
    const held = $(`p${row.index}`)?.textContent.split(" ");
    const pictures = held ? Object.fromEntries(data.roles.map((role, index) => [role, held[index]])) : {};
    const small = $(`t${row.index}`)?.textContent;
    const [left, right] = state.sides.map((role) => pictures[role] && { src: pictures[role], name: NAMES[role] });
    const alone = pictures.restored ?? small;
    if (left && right) stage.show(left, right);
    else stage.show(alone && { src: alone, name: NAMES.restored });
    tell(row, held);
  }

  function tell(row, held) {
    $("found").hidden = !row.found;
    $("found").textContent = row.found;
    $("note").hidden = Boolean(held);
    const missing = data.baseline && row.gains.every((gain) => gain === null);
    $("note").textContent = `Only ${data.slides.toLocaleString("en")} of ${plural(rows.length, "picture")}, the worst by ${figures[0].name}, are in this page to be looked at closely, so that it stays light.`;
    const own = figures.filter((of) => !of.gain);
    const head = ["", ...(data.baseline ? [NAMES.baseline] : []), NAMES.restored, ...(data.baseline ? ["Gain"] : [])];
    const lines = own.map((of) => {
      const gain = row.gains[of.metric];
      const was = gain === null || gain === undefined ? null : before(row, of);
      const cells = data.baseline ? [make("td", { textContent: missing || Number.isNaN(was) ? "–" : withUnit(was, of) })] : [];
      cells.push(make("td", { textContent: withUnit(row.values[of.metric], of) }));
      if (data.baseline) cells.push(make("td", { textContent: gain === null || gain === undefined ? "–" : inWords(gain, of), className: tone(gain, of) }));
      return make("tr", {}, make("th", { textContent: of.name, scope: "row" }), ...cells);
    });
    $("figures").replaceChildren(make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { textContent: text })))), make("tbody", {}, ...lines));
  }

  function step(by) {
    const at = state.found.indexOf(state.current) + by;
    if (at >= 0 && at < state.found.length) select(state.found[at], true);
    return at >= 0 && at < state.found.length;
  }

  // ---- what people do --------------------------------------------------------------------------------------------

  function setLimit(key, side, value) {
    $("figure").value = key;
    $("side").value = side;
    $("threshold").value = value;
    state.range = null;
    readFilter();
    $("list").scrollIntoView({ block: "start" });
  }

  function readFilter() {
    const typed = $("threshold").value;
    state.text = $("text").value;
    state.limit = { key: $("figure").value, side: $("side").value, value: typed === "" ? null : Number(typed) };
    refresh();
  }

  function listen() {
    $("filter").addEventListener("submit", (event) => event.preventDefault());
    $("filter").addEventListener("input", readFilter);
    $("filter").addEventListener("reset", () => { state.range = null; setTimeout(readFilter); });
    $("more").addEventListener("click", drawMore);
    new IntersectionObserver((seen) => { if (seen.some((each) => each.isIntersecting)) drawMore(); }, { root: $("list").querySelector(".scroll"), rootMargin: "600px" }).observe($("more"));
    $("previous").addEventListener("click", () => step(-1));
    $("next").addEventListener("click", () => step(1));
    $("scatter-metric").addEventListener("change", drawScatter);
    $("table").addEventListener("keydown", (event) => {
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!by || !event.target.closest("tbody") || !step(by)) return;
      event.preventDefault();
      $("table").querySelector("tr[aria-current] button").focus();
    });
    addEventListener("resize", drawCharts);
  }

  function begin() {
    for (const of of figures) $("figure").append(make("option", { value: of.key, textContent: titled(of) }));
    $("side").value = state.limit.side;
    for (const of of figures.filter((each) => !each.gain)) $("scatter-metric").append(make("option", { value: of.key, textContent: of.name }));
    $("scatter").hidden = !data.baseline;
    $("charts").hidden = !data.baseline && !data.groups.length;
    drawHead();
    drawTiles();
    drawGroups();
    drawTableHead();
    watchScrolling();
    drawSides();
    listen();
    refresh();
  }

  begin();
})();
