// What is on the page: the data of draw/page_data.py by name, and which wires lead where.
// All text from the host goes into the page as text (textContent, setAttribute), never as markup.
let data, svg, stage, links, wires, out, elements, byRow, byCord, wiresOf;
const lines = new Map(); // link -> its own line, where a fan is open
const strings = new Map(); // wire -> its own cord there
const named = (names, values) => Object.fromEntries(names.map((name, at) => [name, values[at]]));
const push = (map, key, value) => (map.has(key) ? map.get(key).push(value) : map.set(key, [value]));

// A picture and what is known of it: the first, and where the page is served, each one that follows.
function take(picture, known) {
  [svg, data, lit] = [picture, known, []];
  [lines, strings, opened].forEach((one) => one.clear());
  stage = svg.querySelector(".stage");
  links = data.links.map((values) => named(data.link, values));
  wires = data.wires.map((values) => named(data.wire, values));
  out = new Set(data.out);
  elements = new Map([...svg.querySelectorAll("[data-key]")].map((one) => [one.dataset.key, one]));
  [byRow, byCord, wiresOf] = [new Map(), new Map(), links.map(() => [])];
  links.forEach((link, number) => push(byRow, link.row, number));
  wires.forEach((wire, number) => {
    push(byCord, wire.cord, number);
    if (wire.a >= 0) wiresOf[wire.a].push(number);
    if (wire.b >= 0) wiresOf[wire.b].push(number);
  });
  svg.querySelectorAll(".wire .cord").forEach((cord) => cord.after(make("path", { class: "hit", d: cord.getAttribute("d") })));
  measure();
  offer();
}

const label = (number) => `${data.spaces[links[number].space][0]}/${links[number].name}`;
const rowOf = (number) => lines.get(number) || elements.get(links[number].row);
const cordOf = (number) => strings.get(number) || elements.get(wires[number].cord);

// End to end: from a link all its wires, from there on only across pairs, up to what it hangs on, and out by uplinks.
function follow(starts, seenWires = new Set()) {
  const seen = new Set(starts);
  const pending = starts.map((number) => [number, seenWires.size === 0]);
  while (pending.length) {
    const [at, first] = pending.pop();
    for (const number of wiresOf[at]) {
      const wire = wires[number];
      const both = wire.relation === "peer" || wire.relation === "patch";
      const leadsOut = wire.relation === "port" && wire.b === at && out.has(links[wire.a].row);
      if (seenWires.has(number) || wire.certainty === "unknown" && !first) continue;
      if (!(first || both || wire.a === at || leadsOut)) continue;
      seenWires.add(number);
      const far = wire.a === at ? wire.b : wire.a;
      if (far >= 0 && !seen.has(far)) {
        seen.add(far);
        pending.push([far, false]);
      }
    }
  }
  return { links: seen, wires: seenWires };
}

function wayOf(element) {
  if (element.dataset.link) return follow([Number(element.dataset.link)]);
  if (element.dataset.wire) return ofWire(Number(element.dataset.wire));
  const key = element.dataset.key;
  if (byRow.has(key)) return follow(byRow.get(key).slice(0, 1));
  if (byCord.has(key)) return ofWire(byCord.get(key)[0]);
  return { links: new Set(), wires: new Set() };
}

function ofWire(number) {
  const ends = [wires[number].a, wires[number].b].filter((end) => end >= 0);
  return follow(ends, new Set([number]));
}

let lit = [];
function light(element) {
  dim();
  const way = element && wayOf(element);
  if (!way || !(way.wires.size || way.links.size)) return;
  lit = [...[...way.links].map(rowOf), ...[...way.wires].map(cordOf)].filter(Boolean);
  lit.forEach((one) => one.classList.add("lit"));
  svg.classList.add("tracing");
}

function dim() {
  lit.forEach((one) => one.classList.remove("lit"));
  lit = [];
  svg.classList.remove("tracing");
}
