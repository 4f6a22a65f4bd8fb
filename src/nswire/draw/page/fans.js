// Fans: what is folded gets a line for each member, see draw/expand.py. Room is made below its row, all over the picture.
const LINE = 22, CELL = 7, RADIUS = 5;
const SIGN = {
  up: "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
  down: "m-3.5 -3.5l7 7m0 -7l-7 7",
  carrier: "m0 -4.5l4.5 8h-9zm0 3v2.2",
};
const DOT = "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z";
const opened = new Map(); // fan -> its group
const roomOf = (fan) => fan.members.length * (fan.rows.length * LINE + 4) + 6;
const shift = (y) => y + data.fans.reduce((sum, fan) => sum + (opened.has(fan) && fan.y <= y ? roomOf(fan) : 0), 0);
const before = (fan) => data.fans.reduce(
  (sum, one, at) => sum + (opened.has(one) && (one.y < fan.y || one.y === fan.y && at < data.fans.indexOf(fan)) ? roomOf(one) : 0), 0);
const fanOf = (number) => data.fans.find((fan) => fan.members.some((pairs) => pairs.some((pair) => pair.includes(number))));

function make(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  if (text !== undefined) made.textContent = text;
  return made;
}

function short(text, most) {
  const letters = [...text];
  if (letters.length <= most) return text;
  const end = Math.floor((most - 1) / 3);
  return letters.slice(0, most - 1 - end).join("") + "…" + (end ? letters.slice(-end).join("") : "");
}

function line(number, x, right, y, title) {
  const link = links[number], room = Math.floor((right - x) / CELL) - 3;
  const group = make("g", { class: `row ${link.mark}`, "data-link": number, tabindex: 0, role: "button", "aria-label": `${label(number)}, ${link.kind}, ${link.state}` });
  const state = link.mark === "up" ? "" : link.state;
  const name = short(title, room), rest = [state, link.addresses.find((one) => !one.startsWith("fe80:")) || ""].filter(Boolean).join("  ");
  group.append(
    make("rect", { class: "band", x: x - 4, y: y - LINE / 2, width: right - x + 4, height: LINE, rx: 4 }),
    make("path", { class: "mark", d: `M${x + 4} ${y}${SIGN[link.mark]}` }),
    make("text", { class: "name", x: x + 2 * CELL, y: y + 4 }, name),
    make("text", { class: "kind", x: x + (3 + [...name].length) * CELL, y: y + 4 }, short(rest, Math.max(0, room - [...name].length - 1))),
  );
  lines.set(number, group);
  return group;
}

function fill(fan) {
  const group = make("g", { class: "fanout" });
  const kinds = fan.cords.map((key) => elements.get(key).getAttribute("class").replace("many", ""));
  fan.members.forEach((pairs, member) => pairs.forEach(([number, far], at) => {
    const y = (member * fan.rows.length + at) * LINE + member * 4 + LINE / 2 + 3;
    const [x, , width] = data.rows[fan.rows[at]];
    const [left, , wide] = data.cards[fan.rows[at].split("r")[0]];
    group.append(make("path", { class: "twig", d: `M${x + 4} ${y - LINE - 4}V${y}h12` }), line(number, x + 18, x + width, y, links[number].name));
    if (!fan.card) return;
    const [start, , size] = data.cards[fan.card];
    const wire = wiresOf[number].find((one) => wires[one].cord === fan.cords[at]);
    const cord = make("g", { class: kinds[at], "data-wire": wire, tabindex: 0, role: "button", "aria-label": `wire of ${label(number)}` });
    const path = `M${left + wide} ${y}H${start}`;
    cord.append(make("path", { class: "cord", d: path }), make("path", { class: "hit", d: path }), make("path", { class: "end", d: `M${left + wide} ${y}${DOT}M${start} ${y}${DOT}` }));
    strings.set(wire, cord);
    if (typeof far === "number" && far >= 0) group.append(line(far, start + CELL, start + size - CELL, y, label(far)));
    else if (typeof far === "string") group.append(make("text", { class: "name", x: start + 2 * CELL, y: y + 4 }, short(far, Math.floor(size / CELL) - 4)));
    group.append(cord);
  }));
  return group;
}

function unfold(fan) {
  if (opened.has(fan)) return;
  opened.set(fan, fill(fan));
  stage.append(opened.get(fan));
  arrange();
}

function fold(fan) {
  if (!opened.has(fan)) return;
  opened.get(fan).remove();
  opened.delete(fan);
  const inside = new Set(fan.members.flat(2));
  [...lines.keys()].forEach((number) => inside.has(number) && lines.delete(number));
  [...strings.keys()].forEach((number) => fan.cords.includes(wires[number].cord) && strings.delete(number));
  arrange();
}

// The corners of a path as draw/shapes.py rounds them off.
function rounded(points) {
  const step = (from, to, by) => [from[0] + by * Math.sign(to[0] - from[0]), from[1] + by * Math.sign(to[1] - from[1])];
  const long = (a, b) => Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]);
  let d = `M${points[0].join(" ")}`;
  for (let at = 1; at < points.length - 1; at++) {
    const [was, here, next] = points.slice(at - 1, at + 2);
    const room = Math.min(RADIUS, Math.floor(long(was, here) / 2), Math.floor(long(here, next) / 2));
    d += `L${step(here, was, room).join(" ")}Q${here.join(" ")} ${step(here, next, room).join(" ")}`;
  }
  return `${d}L${points[points.length - 1].join(" ")}`;
}

let viewBox, fullHeight, footAt, footPlace;
function measure() {
  viewBox = svg.viewBox.baseVal;
  fullHeight = viewBox.height;
  footAt = svg.querySelector(".foot");
  footPlace = footAt.getAttribute("transform").match(/-?[\d.]+/g).map(Number);
}
const moved = (element, by) => element.setAttribute("transform", `translate(0 ${by})`);

function arrange() {
  for (const [key, [, y, , height]] of Object.entries(data.cards)) {
    const element = elements.get(key);
    moved(element, shift(y) - y);
    element.querySelectorAll(".body, .shadow").forEach((one) => one.setAttribute("height", shift(y + height) - shift(y)));
  }
  for (const [key, [, y, , height]] of Object.entries(data.rows)) {
    moved(elements.get(key), shift(y) - y);
    const band = elements.get(key).querySelector(".band");
    if (height > 2 * LINE) band.setAttribute("height", shift(y + height) - shift(y) - 2);
  }
  for (const [key, flat] of Object.entries(data.cords)) {
    const points = [];
    for (let at = 0; at < flat.length; at += 2) points.push([flat[at], shift(flat[at + 1])]);
    const d = rounded(points);
    elements.get(key).querySelectorAll(".cord, .halo, .hit").forEach((one) => one.setAttribute("d", d));
    elements.get(key).querySelectorAll(".end, .cut").forEach((one) => {
      one.dataset.d = one.dataset.d || one.getAttribute("d");
      one.setAttribute("d", one.dataset.d.replace(/M(-?\d+) (-?\d+)/g, (_, x, at) => `M${x} ${shift(Number(at))}`));
    });
  }
  opened.forEach((group, fan) => moved(group, fan.y + before(fan)));
  const more = [...opened.keys()].reduce((sum, fan) => sum + roomOf(fan), 0);
  footAt.setAttribute("transform", `translate(${footPlace[0]} ${footPlace[1] + more})`);
  viewBox.height = fullHeight + more;
  svg.querySelector(".paper").setAttribute("height", viewBox.height);
}
