// What one can do with the page: search, choose, unfold, filter, zoom, save.
const $ = (id) => document.getElementById(id);
const sheet = $("sheet"), panel = $("panel"), search = $("search"), found = $("found");
const LIMIT = 40;
const CERTAIN = { proved: "the kernel names both ends", mutual: "each end names the other, and no third fits", inferred: "inferred", unknown: "not certain" };
const SAID = { peer: ["the other end", "the other end"], port: ["port of", "has the port"], lower: ["over", "under"], underlay: ["its packets are sent by", "sends the packets of"], tap: ["served by", "serves"], patch: ["patched to", "patched to"], redirect: ["tc redirects to", "gets from, by tc"], mirror: ["tc copies to", "gets a copy from, by tc"] };

function tag(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function action(text, act) {
  const made = tag("button", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

// What a server adds (web/page/live.js): everything that is known of a handle, and what else a word may mean.
const ask = { about() {}, find() {}, recall() {}, marked() {}, begun() {} };
const handleOf = (number) => `${data.spaces[links[number].space][4]}/ifindex:${links[number].ifindex}`; // also who it is, from picture to picture

// -- what is known of one ---------------------------------------------------------------------------------------

let chosen = null;
function choose(element, ...content) {
  if (chosen) chosen.classList.remove("chosen");
  chosen = element;
  if (element) element.classList.add("chosen");
  const close = action("×", dismiss);
  close.id = "close";
  close.setAttribute("aria-label", "Close");
  panel.replaceChildren(close, ...content);
  panel.hidden = false;
  panel.scrollTop = 0;
}

function dismiss() {
  panel.hidden = true;
  if (chosen) chosen.classList.remove("chosen");
  chosen = null;
  dim();
}

function facts(pairs) {
  const list = tag("dl");
  pairs.filter((pair) => pair[1] !== "" && pair[1] !== undefined).forEach(([name, value]) => list.append(tag("dt", name), tag("dd", String(value))));
  return list;
}

function aboutLink(number) {
  const link = links[number], space = data.spaces[link.space];
  const told = facts([["namespace", space[0]], ["label", space[3]], ["owner", [space[2], ...link.owners].filter(Boolean).join(", ")], ["kind", link.kind], ["state", link.state], ["ifindex", link.ifindex], ["MAC", link.MAC], ["MTU", link.MTU], ["addresses", link.addresses.join(", ")], ["also called", link["also called"].join(", ")]]);
  const rows = wiresOf[number].map((one) => aboutWire(one, number));
  const more = data.more[number] || [];
  choose(rowOf(number), tag("h2", label(number)), told, tag("h3", "Wires"), rows.length ? tag("ul", "", ...rows) : tag("p", "none"), ...(more.length ? [tag("h3", "More"), facts(more)] : []));
  remember(number);
  ask.about(handleOf(number));
}

function aboutWire(number, from) {
  const wire = wires[number], far = wire.a === from ? wire.b : wire.a;
  const said = (SAID[wire.relation] || [wire.relation, wire.relation])[wire.a === from ? 0 : 1];
  const item = tag("li", `${said} `);
  item.append(far >= 0 ? action(label(far), () => goTo(far)) : wire.far, tag("span", `  ${[CERTAIN[wire.certainty], wire.by, ...wire.notes].filter(Boolean).join(", ")}`));
  item.lastChild.className = "soft";
  return item;
}

function aboutCord(element, number) {
  const wire = wires[number], ends = [wire.a, wire.b].filter((end) => end >= 0);
  const list = tag("ul", "", ...ends.map((end) => tag("li", "", action(label(end), () => goTo(end)))), ...(wire.far ? [tag("li", wire.far)] : []));
  const count = element.dataset.key ? byCord.get(element.dataset.key).length : 1;
  choose(element, tag("h2", count > 1 ? `${count} wires, one of them:` : wire.relation), list, facts([["relation", wire.relation], ["evidence", CERTAIN[wire.certainty]], ["told by", wire.by], ["besides", wire.notes.join(", ")]]));
}

function aboutMany(element, title, numbers, key) {
  const fan = data.fans.find((one) => one.card === key || one.rows.includes(key));
  const parts = [tag("h2", title)];
  if (fan) parts.push(action(opened.has(fan) ? "Fold" : "Unfold", () => { toggle(fan); aboutMany(element, title, numbers, key); }));
  parts.push(tag("h3", `${numbers.length} links`), listed(numbers));
  choose(element, ...parts);
  const inside = data.spaces.filter((space) => space[1] === key);
  if (inside.length === 1) ask.about(inside[0][4]);
}

function listed(numbers, shown = 200) {
  const list = tag("ul", "", ...numbers.slice(0, shown).map((number) => tag("li", "", action(label(number), () => goTo(number)), ` ${links[number].mark === "up" ? "" : links[number].state} ${links[number].addresses[0] || ""}`)));
  if (numbers.length > shown) list.append(tag("li", `and ${numbers.length - shown} more: search finds them`));
  return list;
}

function about(element) {
  if (element.dataset.link) return aboutLink(Number(element.dataset.link));
  if (element.dataset.wire) return aboutCord(element, Number(element.dataset.wire));
  const key = element.dataset.key;
  if (byCord.has(key)) return aboutCord(element, byCord.get(key)[0]);
  const row = byRow.get(key);
  if (row && row.length === 1) return aboutLink(row[0]);
  if (row) return aboutMany(element, element.querySelector("title").textContent, row, key);
  const inside = links.flatMap((link, number) => (data.spaces[link.space][1] === key ? [number] : []));
  const others = (data.others[key] || []).map((text) => tag("li", text));
  if (inside.length) return aboutMany(element, element.querySelector("title").textContent, inside, key);
  return choose(element, tag("h2", element.querySelector("title").textContent), tag("ul", "", ...others));
}

function goTo(number) {
  const fan = fanOf(number);
  if (fan && !lines.has(number)) unfold(fan);
  toggled();
  aboutLink(number);
  const row = rowOf(number);
  if (!row) return;
  const place = row.getBoundingClientRect(), view = sheet.getBoundingClientRect();
  const away = (from, to, start, end) => (from >= start && to <= end ? 0 : (from + to - start - end) / 2);
  sheet.scrollBy(away(place.left, place.right, view.left, view.right), away(place.top, place.bottom, view.top, view.bottom));
  light(row);
}

function remember(number) {
  const link = links[number];
  const fragment = `#link=${encodeURIComponent(data.spaces[link.space][0])}/${encodeURIComponent(link.name)}`;
  try { history.replaceState(null, "", fragment); } catch { /* a page without an address of its own */ }
}

function recall() {
  let wanted;
  try { wanted = decodeURIComponent(location.hash.slice(1)); } catch { return; }
  const word = wanted.replace(/^link=/, "");
  const number = word ? links.findIndex((_, at) => label(at) === word || handleOf(at) === word) : -1;
  if (number >= 0) goTo(number); else if (word) ask.recall(word);
}

// -- search -----------------------------------------------------------------------------------------------------

let texts = []; // of each link, all that it may be found by
const textsOf = () => links.map((link, number) => [label(number), link.MAC, String(link.ifindex), ...link.addresses, ...link["also called"], ...link.owners, data.spaces[link.space][2], data.spaces[link.space][3]].join("\n").toLowerCase());
function matches(wanted) {
  const word = wanted.trim().toLowerCase();
  if (!word) return [];
  const exact = (at) => links[at].name.toLowerCase() === word || texts[at].split("\n").some((text) => text === word || text.split("/")[0] === word);
  const hits = texts.flatMap((text, at) => (text.includes(word) ? [at] : []));
  return [...hits.filter(exact), ...hits.filter((at) => !exact(at))];
}

function look() {
  const hits = matches(search.value);
  found.replaceChildren(...hits.slice(0, LIMIT).map((at) => tag("li", "", action(`${label(at)}  ${links[at].MAC}  ${links[at].addresses[0] || ""}`, () => { goTo(at); found.hidden = true; }))));
  if (hits.length > LIMIT) found.append(tag("li", `and ${hits.length - LIMIT} more`));
  if (!hits.length) found.append(tag("li", "nothing is called so"));
  [...found.children].forEach((one) => one.firstElementChild || (one.className = "soft"));
  found.hidden = !search.value.trim();
  ask.find(search.value.trim());
}

search.addEventListener("input", look);
search.addEventListener("focus", look);
$("tools").addEventListener("submit", (event) => {
  event.preventDefault();
  const first = found.querySelector("button");
  if (first) first.click();
});
found.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const all = [...found.querySelectorAll("button")], at = all.indexOf(document.activeElement) + step;
  (at < 0 ? search : all[Math.min(at, all.length - 1)]).focus();
  event.preventDefault();
});
search.addEventListener("keydown", (event) => {
  const first = found.querySelector("button");
  if (event.key === "ArrowDown" && first) { first.focus(); event.preventDefault(); }
});
document.addEventListener("click", (event) => { if (!$("tools").contains(event.target)) found.hidden = true; });

// -- folding, filters -------------------------------------------------------------------------------------------

function toggle(fan) {
  if (opened.has(fan)) fold(fan); else unfold(fan);
  toggled();
}

function toggled() {
  resize();
  $("unfold").textContent = opened.size === data.fans.length ? "Fold all" : "Unfold all";
  filter();
  ask.marked();
}

$("unfold").addEventListener("click", () => {
  const all = opened.size === data.fans.length;
  data.fans.forEach(all ? fold : unfold);
  toggled();
});
const kindOf = (link) => link.kind.split(" ")[0];
// What can be asked of a picture: its kinds, its fans, the words that find something.
function offer() {
  const kind = $("kind").value;
  $("kind").replaceChildren($("kind").options[0], ...[...new Set(links.map(kindOf))].sort().map((one) => tag("option", one)));
  $("kind").value = [...$("kind").options].some((one) => one.value === kind) ? kind : "";
  $("unfold").hidden = !data.fans.length;
  texts = textsOf();
  toggled();
}
function filter() {
  const kind = $("kind").value;
  svg.classList.toggle("only-up", $("up").checked);
  const off = (element, numbers) => element.classList.toggle("off", Boolean(kind) && !numbers.some((number) => kindOf(links[number]) === kind));
  byRow.forEach((numbers, key) => off(elements.get(key), numbers));
  lines.forEach((element, number) => off(element, [number]));
}
$("kind").addEventListener("change", filter);
$("up").addEventListener("change", filter);

// -- zoom, pan, light and dark, saving --------------------------------------------------------------------------

let scale = 1;
function resize() {
  svg.setAttribute("width", Math.round(viewBox.width * scale));
  svg.setAttribute("height", Math.round(viewBox.height * scale));
}
function zoom(to, x = sheet.clientWidth / 2, y = sheet.clientHeight / 2) {
  const next = Math.min(4, Math.max(0.1, to)), by = next / scale;
  const left = (sheet.scrollLeft + x) * by - x, top = (sheet.scrollTop + y) * by - y;
  scale = next;
  resize();
  sheet.scrollTo(left, top);
}
const fit = () => zoom(Math.min(1, sheet.clientWidth / viewBox.width));
$("larger").addEventListener("click", () => zoom(scale * 1.25));
$("smaller").addEventListener("click", () => zoom(scale / 1.25));
$("fit").addEventListener("click", fit);
sheet.addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  const view = sheet.getBoundingClientRect();
  zoom(scale * Math.exp(-event.deltaY / 400), event.clientX - view.left, event.clientY - view.top);
}, { passive: false });
let drag = null;
sheet.addEventListener("pointerdown", (event) => { if (event.button === 0) drag = { x: event.clientX, y: event.clientY, moved: false }; });
window.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const x = event.clientX - drag.x, y = event.clientY - drag.y;
  if (!drag.moved && Math.abs(x) + Math.abs(y) < 5) return;
  sheet.scrollBy(-x, -y);
  sheet.classList.add("dragged");
  drag = { x: event.clientX, y: event.clientY, moved: true };
});
window.addEventListener("pointerup", () => {
  if (drag && drag.moved) sheet.addEventListener("click", (event) => event.stopPropagation(), { capture: true, once: true });
  setTimeout(() => { drag = null; }); // after the click that ends a drag
  sheet.classList.remove("dragged");
});
$("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.classList.contains("dark") || !root.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches;
  [root, svg].forEach((one) => { one.classList.toggle("dark", !dark); one.classList.toggle("light", dark); });
});
function save(blob, name) {
  const link = tag("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function drawing() {
  const copy = svg.cloneNode(true);
  copy.querySelectorAll(".hit").forEach((one) => one.remove());
  copy.querySelectorAll("[tabindex]").forEach((one) => ["tabindex", "role"].forEach((name) => one.removeAttribute(name)));
  copy.classList.remove("tracing", "only-up");
  copy.prepend(make("style", {}, data.drawing));
  return new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
}
$("save").addEventListener("click", () => save(drawing(), "network.svg"));

// -- hand and keyboard ------------------------------------------------------------------------------------------

const target = (event) => event.target.closest && event.target.closest("[data-key], [data-link], [data-wire]");
sheet.addEventListener("pointerover", (event) => { const at = target(event); if (at) light(at); });
sheet.addEventListener("pointerout", (event) => { if (target(event)) light(chosen); });
sheet.addEventListener("focusin", (event) => { const at = target(event); if (at && at.matches(":focus-visible")) light(at); });
sheet.addEventListener("focusout", () => light(chosen));
sheet.addEventListener("click", (event) => { const at = target(event); if (at) about(at); });
sheet.addEventListener("keydown", (event) => {
  const at = target(event);
  if (at && (event.key === "Enter" || event.key === " ")) { about(at); event.preventDefault(); }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { dismiss(); found.hidden = true; return; }
  if (event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = { "/": () => search.focus(), "+": () => zoom(scale * 1.25), "-": () => zoom(scale / 1.25), 0: () => zoom(1), f: fit }[event.key];
  if (act) { act(); event.preventDefault(); }
});
window.addEventListener("hashchange", recall);

function begin() {
  take(document.querySelector("svg.nswire"), JSON.parse($("data").textContent));
  ["tools", "more"].forEach((id) => { $(id).hidden = false; });
  fit();
  recall();
  ask.begun();
}
