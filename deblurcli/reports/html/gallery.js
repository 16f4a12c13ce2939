(() => {
  const PAGE = 60;
  const folder = commonFolder(data.rows.map(([name]) => name));
  const rows = data.rows.map(([name, kind, words, facts, psf], index) => ({ index, name, short: name.slice(folder.length), kind, words, facts, psf }));
  const state = { kind: null, text: "", order: "given", found: [], drawn: 0, current: null, pair: 0 };

  // ---- head and filter -------------------------------------------------------------------------------------------

  function drawHead() {
    $("places").textContent = [plural(rows.length, "picture"), ...(folder ? [`all in ${folder}`] : []), ...data.about].join(" · ");
    $("about").append(...data.notes.map((text) => make("p", { textContent: text })));
    showErrors();
  }

  function drawKinds() {
    const counted = data.kinds.map(([key, name]) => [key, name, rows.filter((row) => row.kind === key).length]);
    const used = counted.filter(([, , count]) => count);
    for (const [key, name, count] of [[null, "all", rows.length], ...used]) {
      const button = make("button", { type: "button", textContent: `${name} ${count.toLocaleString("en")}`, ariaPressed: String(key === null) });
      button.addEventListener("click", () => {
        for (const each of $("kinds").querySelectorAll("button")) each.ariaPressed = String(each === button);
        state.kind = key;
        refresh();
      });
      $("kinds").append(button);
    }
    $("kinds").hidden = used.length < 2;
  }

  function refresh() {
    const text = state.text.toLowerCase();
    state.found = rows.filter((row) => (state.kind === null || row.kind === state.kind) && row.name.toLowerCase().includes(text));
    if (state.order === "name") state.found.sort((one, other) => (one.name < other.name ? -1 : 1));
    state.drawn = 0;
    $("grid").replaceChildren();
    $("count").textContent = state.found.length === rows.length ? plural(rows.length, "picture") : `${state.found.length.toLocaleString("en")} of ${plural(rows.length, "picture")}`;
    drawMore();
    if (!state.found.includes(state.current)) select(state.found[0] ?? state.current);
    else mark();
  }

  function drawMore() {
    const next = state.found.slice(state.drawn, state.drawn + PAGE);
    $("grid").append(...next.map(card));
    state.drawn += next.length;
    $("more").hidden = state.drawn >= state.found.length;
    mark();
  }

  /** A text that may break behind its commas and slashes. */
  const breakable = (text) => text.split(/(?<=[,/])/).flatMap((part) => [part, make("wbr")]);

  function card(row) {
    const held = $(`t${row.index}`);
    const picture = held ? make("img", { alt: "", loading: "lazy", decoding: "async", src: held.textContent }) : make("span", { className: "blank" });
    const button = make("button", { type: "button", title: row.name }, picture, make("span", { className: "file" }, ...spelled(row.short)), make("span", { className: "faint" }, ...breakable(row.words)));
    button.dataset.index = row.index;
    button.addEventListener("click", () => select(row));
    return make("li", {}, button);
  }

  function mark() {
    for (const each of $("grid").querySelectorAll("button")) {
      if (state.current && Number(each.dataset.index) === state.current.index) each.setAttribute("aria-current", "true");
      else each.removeAttribute("aria-current");
    }
  }

  // ---- the picture looked at -------------------------------------------------------------------------------------

  function select(row, reveal = false) {
    if (!row) return;
    state.current = row;
    while (reveal && state.found.indexOf(row) >= state.drawn && state.drawn < state.found.length) drawMore();
    mark();
    look();
    if (reveal) $("grid").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  /** The pictures of a row by role; one that it has not is left out. */
  function pictures(row) {
    const held = $(`p${row.index}`)?.textContent.split(" ") ?? [];
    return Object.fromEntries(data.roles.map((role, index) => [role, held[index]]).filter(([, src]) => src && src !== "data:,"));
  }

  function look() {
    const row = state.current, has = pictures(row), small = $(`t${row.index}`)?.textContent;
    $("viewer").hidden = false;
    $("shown").replaceChildren(...spelled(row.short));
    $("shown").title = `${row.name}, ${state.found.indexOf(row) + 1} of ${state.found.length}`;
    const pairs = data.pairs.filter(([, ...roles]) => roles.every((role) => has[role]));
    stage.offer(pairs.map(([name]) => name), (index) => showPair(pairs[index], has, small));
    showPair(pairs[0], has, small);
    $("note").hidden = Boolean(pairs.length);
    $("note").textContent = `Only ${data.slides.toLocaleString("en")} of ${plural(rows.length, "picture")}, the worst ones, are in this page to be looked at closely, so that it stays light.`;
    $("psf").hidden = !row.psf;
    $("psf").querySelector("img").src = row.psf || "data:,";
    $("facts").replaceChildren(...row.facts.flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", {}, ...breakable(value))]));
  }

  function showPair(pair, has, small) {
    const sides = pair ? pair.slice(1).map((role) => ({ src: has[role], name: data.names[role] })) : small ? [{ src: small, name: "" }] : [];
    $("difference-label").hidden = sides.length < 2;
    if (sides.length < 2 && $("difference").checked) $("difference").click();
    stage.show(...sides);
  }

  function step(by) {
    const at = state.found.indexOf(state.current) + by;
    if (at >= 0 && at < state.found.length) select(state.found[at], true);
    return at >= 0 && at < state.found.length;
  }

  // ---- what people do --------------------------------------------------------------------------------------------

  $("filter").addEventListener("submit", (event) => event.preventDefault());
  $("text").addEventListener("input", () => { state.text = $("text").value; refresh(); });
  $("order").addEventListener("change", () => { state.order = $("order").value; refresh(); });
  $("more").addEventListener("click", drawMore);
  $("previous").addEventListener("click", () => step(-1));
  $("next").addEventListener("click", () => step(1));
  $("grid").addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!by || !step(by)) return;
    event.preventDefault();
    $("grid").querySelector("[aria-current]").focus();
  });

  drawHead();
  drawKinds();
  refresh();
})();
