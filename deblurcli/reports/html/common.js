"use strict";
const FEW_ERRORS = 3; // that are read without opening their list
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const plural = (count, what) => `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;

// ---- names of pictures: paths, whose parts stay whole --------------------------------------------------------------

/** The folder that all names lie in, with a slash behind it; nothing where there is none. */
function commonFolder(names) {
  let folder = names.length ? names[0].slice(0, names[0].lastIndexOf("/") + 1) : "";
  for (const name of names) while (!name.startsWith(folder)) folder = folder.slice(0, folder.lastIndexOf("/", folder.length - 2) + 1);
  return folder;
}

/** The parts of a path, so that lines break between them and not inside; what is too long for a line ends with dots. */
function spelled(name) {
  const parts = name.split("/");
  return parts.map((part, index) => make("span", { className: "part", textContent: index < parts.length - 1 ? `${part}/` : part }));
}

// ---- what every page has -------------------------------------------------------------------------------------------

function showErrors() {
  if (!data.errorCount) return;
  $("errors").hidden = false;
  $("errors").open = data.errorCount <= FEW_ERRORS;
  $("errors").querySelector("summary").textContent = plural(data.errorCount, "error");
  const more = data.errorCount - data.errors.length;
  const lines = more ? [...data.errors, `… and ${more} more`] : data.errors;
  $("errors").querySelector("ul").append(...lines.map((error) => make("li", { textContent: error })));
}

$("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
});

/** What is wider than its place says so, and can be scrolled by keyboard. */
function watchScrolling() {
  const look = (box) => {
    const wide = box.scrollWidth > box.clientWidth + 1;
    box.parentElement.classList.toggle("wide", wide);
    box.parentElement.classList.toggle("end", box.scrollLeft + box.clientWidth >= box.scrollWidth - 2);
    if (wide) Object.assign(box, { tabIndex: 0, role: "region", ariaLabel: "Table, scrolls sideways" });
    else for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
  };
  for (const box of document.querySelectorAll(".scroll")) {
    const wrapper = make("div", { className: "scroller" });
    box.replaceWith(wrapper);
    wrapper.append(make("p", { className: "hint faint", textContent: "This table scrolls sideways →" }), box);
    const observer = new ResizeObserver(() => look(box));
    observer.observe(box);
    for (const table of box.children) observer.observe(table);
    box.addEventListener("scroll", () => look(box), { passive: true });
  }
}

// ---- the stage: one picture, or two with a slider between them ---------------------------------------------------

const stage = {
  /** left, right: { src, name }; without `right` one picture stands alone, without both nothing. */
  show(left, right) {
    const double = Boolean(left && right);
    $("stage").hidden = !left;
    $("stage").classList.toggle("single", !double);
    $("before").onload = stage.fit;
    $("before").src = left ? left.src : "data:,";
    if (double) $("after").src = right.src;
    $("before").alt = left ? left.name : "";
    $("after").alt = double ? right.name : "";
    $("before-label").textContent = $("before").alt;
    $("after-label").textContent = $("after").alt;
    $("slider").setAttribute("aria-label", `Slide between ${$("before").alt} and ${$("after").alt}`);
    $("difference").disabled = !double;
  },

  /** Give the stage the picture's form, as wide as there is room for; small pictures show their pixels as squares. */
  fit() {
    const { naturalWidth: wide, naturalHeight: tall } = $("before");
    if (!wide || !tall) return;
    $("stage").style.aspectRatio = `${wide} / ${tall}`;
    $("stage").style.width = `min(100%, calc(${(wide / tall).toFixed(4)} * var(--tallest)))`;
    $("stage").classList.toggle("square", wide * 1.5 < $("stage").clientWidth);
  },

  /** A choice of sides: radio buttons, one for each name; `choose` gets its number. */
  offer(names, choose) {
    $("sides").replaceChildren($("sides").querySelector("legend"));
    names.forEach((name, index) => {
      const input = make("input", { type: "radio", name: "sides", value: name, checked: index === 0 });
      input.addEventListener("change", () => choose(index));
      $("sides").append(make("label", {}, input, ` ${name}`));
    });
    $("sides").hidden = names.length < 2;
  },
};

$("slider").addEventListener("input", () => $("stage").style.setProperty("--at", `${$("slider").value}%`));
$("difference").addEventListener("change", () => $("stage").classList.toggle("difference", $("difference").checked));
addEventListener("resize", () => stage.fit());
