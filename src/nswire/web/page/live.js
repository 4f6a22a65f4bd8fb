// What the served page can do besides: tell all that is known, find by any handle, keep itself up to date, save as PNG and JSON.
const API = "api/v1/";
const FIELDS = ["name", "kind", "state", "MAC", "MTU", "addresses", "also called", "owners"]; // whose change is told
const TOLD = 8, REMEMBERED = 200; // changes told of one update, lines that are kept
const SIGNS = { new: "new", changed: "diff", many: "×" }; // beside a row or card: there is room for four letters
const LARGEST = 16000; // pixels of a canvas, whatever the browser

// Names in documents are exact: what acts on a screen, or cannot be seen, is shown as a code.
const shown = (text) => String(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0).toString(16)}}`);

// A browser on the very machine gives up requests when its network changes (ERR_NETWORK_CHANGED), as it does here: once more.
async function fetched(address, signal) {
  try {
    return await fetch(address, { signal });
  } catch (error) {
    if (signal && signal.aborted) throw error;
    await new Promise((go) => { setTimeout(go, 300); });
    return fetch(address, { signal });
  }
}

async function asked(what, query, signal) {
  const answer = await fetched(`${API}${what}?${new URLSearchParams(query)}`, signal);
  const said = await answer.json();
  if (!answer.ok) throw new Error([said.subject, said.reason, said.hint].filter(Boolean).map(shown).join(": "));
  return said;
}

const handleIn = (doc) => `${doc.netns.inode === null ? doc.netns.label : `net:[${doc.netns.inode}]`}/ifindex:${doc.ifindex}`;
const nameIn = (doc) => shown(`${doc.netns.label}/${doc.ifname}`);
const numberOf = (handle) => links.findIndex((_, at) => handleOf(at) === handle);

function leading(doc) {
  const handle = handleIn(doc), number = numberOf(handle);
  return number >= 0 ? action(label(number), () => lead(handle)) : tag("span", nameIn(doc));
}

// -- everything that is known -----------------------------------------------------------------------------------

const flat = (values) => Object.entries(values).flatMap(([name, value]) => (value !== null && typeof value === "object" ? flat(value).map(([inner, one]) => [`${name} ${inner}`, one]) : [[shown(name), shown(value)]]));
const items = (texts) => tag("ul", "", ...texts.map((text) => tag("li", shown(text))));
const section = (title, content) => (content ? [tag("h3", title), content] : []);
const some = (list, make) => (list.length ? make(list) : null);
const dl = (pairs) => some(pairs.filter((pair) => pair[1] !== "" && pair[1] !== "null"), facts);

function ways(link) {
  const depth = [], list = tag("ul");
  link.up.forEach((step, at) => {
    depth[at] = step.after < 0 ? 0 : depth[step.after] + 1;
    const far = step.link ? leading(step.link) : shown(step.to ? `${step.to.type} ${step.to.name}` : "?");
    list.append(tag("li", `${"   ".repeat(depth[at])}${step.relation} `, far, step.evidence === "proved" ? "" : ` (${step.evidence})`));
  });
  link.ends.forEach((end) => list.append(tag("li", shown(`ends: ${end.why}`))));
  return link.up.length ? list : null;
}

function holder(one) {
  return [one.type, one.number ?? "", one.pid ? `pid ${one.pid}` : "", one.comm ? `(${one.comm})` : "", one.path || ""].filter(Boolean).join(" ");
}

function aboutNamespace(space) {
  const seen = space.seen_from ? `nsid ${space.seen_from.nsid} of ${space.seen_from.netns.label}` : "";
  return [
    ...section("Namespace", dl([["label", shown(space.label)], ["names", shown(space.names.join(", "))], ["inode", shown(space.inode)], ["cookie", shown(space.cookie)], ["seen from", shown(seen)], ["links", shown(space.links ?? "not readable")]])),
    ...section("Whose it is", some(space.owners, (owners) => items(owners.map((one) => `${one.type} ${one.name}${one.pid ? ` (pid ${one.pid})` : ""}, by ${one.by}`)))),
    ...section("Held by", some(space.holders.slice(0, 20), (holders) => items([...holders.map(holder), ...(space.holders.length > 20 ? [`and ${space.holders.length - 20} more`] : [])]))),
    ...section("To let it go", some(space.release, items)),
  ];
}

function aboutShown(link) {
  return [
    ...section("Why", some(link.why, items)),
    ...section("Way up to the NIC", ways(link)),
    ...section("More", dl([["flags", link.link.flags.join(" ")], ["type", link.link_type], ["permanent MAC", link.permaddr], ["device", shown([link.parentbus, link.parentdev].filter(Boolean).join(" "))], ["ports", shown(link.ports.join(", "))], ...flat(link.info_data), ...flat(link.info_slave_data).map(([name, value]) => [`port ${name}`, value])])),
    ...Object.entries(link.details).flatMap(([subject, values]) => section(shown(subject), dl(flat(values)))),
    ...aboutNamespace(link.namespace),
  ];
}

let telling = { handle: "", element: null }; // what the panel tells of
ask.about = async (handle) => {
  const more = tag("div");
  more.id = "known";
  more.append(...(telling.handle === handle ? telling.element.childNodes : ["asking …"])); // the same again, in a new picture
  telling = { handle, element: more };
  panel.append(more);
  try {
    const isLink = handle.includes("/ifindex:");
    const said = await asked(isLink ? "show" : "netns", { handle });
    const told = isLink ? said.links.flatMap(aboutShown) : said.namespaces.flatMap(aboutNamespace);
    more.replaceChildren(...told, ...section("Not seen", some(said.gaps, (gaps) => items(gaps.map((gap) => `${gap.where}: ${gap.what} (${gap.why})`)))));
  } catch (error) {
    more.replaceChildren(tag("p", String(error.message)));
  }
};

// -- search by any handle ---------------------------------------------------------------------------------------

let searching = new AbortController(), pause = 0;
ask.find = (word) => {
  searching.abort();
  clearTimeout(pause);
  if (word) pause = setTimeout(() => findAlso(word), 200);
};

async function findAlso(word) {
  searching = new AbortController();
  let said;
  try { said = await asked("find", { q: word }, searching.signal); } catch { return; }
  if (search.value.trim() !== word) return;
  const known = new Set(matches(word).slice(0, LIMIT).map(handleOf));
  const others = said.matches.filter((match) => match.links.length !== 1 || !known.has(handleIn(match.links[0])));
  const rows = others.slice(0, LIMIT).map((match) => tag("li", "", action(`${shown(match.handle)}  by its ${match.kind}, ${match.links.length} links`, () => { found.hidden = true; aboutMatch(match); })));
  if (rows.length && !known.size) found.replaceChildren();
  found.append(...rows);
  if (!rows.length && !known.size && said.nearest.length) found.append(tag("li", `nearest: ${said.nearest.map(shown).join(", ")}`));
}

function aboutMatch(match) {
  const numbers = match.links.map((one) => numberOf(handleIn(one))).filter((number) => number >= 0);
  if (!match.netns && match.links.length === 1 && numbers.length === 1) return goTo(numbers[0]);
  choose(null, tag("h2", shown(match.handle)), tag("h3", `${match.links.length} links`), listed(numbers));
  return ask.about(match.netns ? match.handle : match.links.length ? handleIn(match.links[0]) : match.handle);
}

ask.recall = async (word) => {
  try {
    const said = await asked("find", { q: word });
    if (said.matches.length) aboutMatch(said.matches[0]);
  } catch { /* the address leads nowhere */ }
};

// -- the way of a packet ----------------------------------------------------------------------------------------

const PACKET = ["proto", "dport", "sport", "size", "mark", "src"]; // what else may be said of it
const route = tag("form"), from = tag("input"), to = tag("input"), go = tag("button", "Path");
const way = Object.fromEntries(["from", "to", ...PACKET].map((name) => [name, new URLSearchParams(location.search).get(name) || ""]));
route.id = "route";
Object.assign(from, { placeholder: "a packet from …", value: way.from, required: true, maxLength: 512, autocomplete: "off" });
Object.assign(to, { placeholder: "to … (out)", value: way.to, maxLength: 512, autocomplete: "off" });
from.setAttribute("aria-label", "The way of a packet, from: a link, a namespace, a container, an address");
to.setAttribute("aria-label", "To: an address, or whatever a packet may come from, with a port (HOST:PORT) or without; empty: out to the internet");
const proto = tag("input"), protocols = tag("datalist"), rest = tag("details");
protocols.id = "protocols";
protocols.append(...["icmp", "tcp", "udp"].map((name) => Object.assign(tag("option"), { value: name })));
const numeric = (most, least = 1) => Object.assign(tag("input"), { type: "number", min: least, max: most });
const fields = { proto, dport: numeric(65535), sport: numeric(65535), size: numeric(65535, 28), mark: numeric(4294967295), src: tag("input") };
const LABELS = { proto: "protocol", dport: "port", sport: "source port", size: "bytes", mark: "mark", src: "source address" };
Object.assign(proto, { placeholder: "icmp", maxLength: 16, autocomplete: "off" });
proto.setAttribute("list", "protocols");
Object.assign(fields.src, { maxLength: 64, autocomplete: "off" });
Object.entries(fields).forEach(([name, field]) => { field.value = way[name]; field.name = name; });
const labelled = (name) => tag("label", LABELS[name], fields[name]);
const others = ["sport", "size", "mark", "src"];
rest.append(tag("summary", "more"), ...others.map(labelled));
rest.open = others.some((name) => way[name]);
route.append(from, to, labelled("proto"), labelled("dport"), rest, protocols, go);
if (way.from) route.append(action("Whole picture", () => { location.search = ""; }));
route.addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = { from: from.value.trim(), to: to.value.trim(), ...Object.fromEntries(PACKET.map((name) => [name, fields[name].value.trim()])) };
  location.search = new URLSearchParams(Object.entries(asked).filter((one) => one[1]));
});

const VERDICTS = { leaves: "it leaves this host", delivered: "delivered", refused: "refused", dropped: "dropped", unknown: "not known" };
const HERE = { "tap.leaves": "it goes to a process of this host", "tap.leaves_to_vm": "it goes to a guest of this host" };
const side = (address, port) => `${address ?? "?"}${port ? ` port ${port}` : ""}`;

function stepLine(step) {
  const because = step.because.filter((one) => one !== "the kernel's own lookup"); // as nearly all of them
  const text = step.direction && step.evidence === "proved" ? step.link : step.text;
  return tag("li", "  ".repeat(step.depth), tag("b", shown(step.type)), ` ${shown(text)}${because.length ? ` (${because.map(shown).join("; ")})` : ""}`);
}

const stay = (hop) => [tag("h3", shown(hop.netns.label)), tag("ul", "", ...hop.steps.map(stepLine))];

function fate(title, said) {
  const made = tag("p", "", tag("b", `${title}${HERE[said.reason?.code] ?? VERDICTS[said.fate]}`), said.reason ? `: ${shown(said.reason.text)}` : "");
  made.className = `fate ${said.fate}`;
  return said.mend ? [made, ...(said.mend.command ? [tag("code", shown(said.mend.command))] : []), tag("p", shown(said.mend.effect))] : [made];
}

let story = null; // where the way is told
async function tellWay() {
  if (!way.from) return;
  const title = tag("h2", "The way of a packet");
  if (!story) { story = tag("div", "asking …"); choose(null, title, story); }
  if (!story.isConnected) return; // something else is told there by now
  try {
    const said = await asked("path", Object.fromEntries(Object.entries(way).filter((one) => one[1] && one[1] !== "out")));
    const others = said.others.length ? [tag("p", `There are ${said.others.length} other ways, which depend on: ${said.choices.map(shown).join("; ")}`)] : [];
    const size = said.mtu && ["leaves", "delivered", "refused"].includes(said.fate) ? [tag("p", `packets of up to ${said.mtu.bytes} bytes pass whole`)] : [];
    const back = said.reply ? fate("the answer: ", said.reply) : [];
    story.replaceChildren(tag("p", shown(`${side(said.flow.src, said.flow.sport)} → ${side(said.flow.dst, said.flow.dport)}`)), ...fate("", said), ...back, ...size, ...others, ...said.hops.flatMap(stay), ...section("Not seen", some(said.gaps, (gaps) => items(gaps.map((gap) => `${gap.where}: ${gap.what} (${gap.why})`)))));
  } catch (error) {
    story.replaceChildren(tag("p", String(error.message)));
  }
}

// -- what changed -----------------------------------------------------------------------------------------------

const news = tag("section"), log = tag("div"), state = tag("p");
const seen = action("Seen", () => { marks.clear(); log.replaceChildren(); unmark(); collapse(); sheet.focus(); });
const marks = new Map(); // handle -> new or changed
news.id = "news";
news.setAttribute("aria-label", "What changed");
log.id = "log";
log.setAttribute("role", "log");
log.setAttribute("aria-label", "What changed");
log.tabIndex = 0;
state.id = "state";
news.append(log, seen);

function collapse() {
  news.classList.toggle("empty", !log.children.length);
  [log.tabIndex, seen.hidden] = log.children.length ? [0, false] : [-1, true];
}

function remembered() {
  const all = new Map();
  data.spaces.forEach((space) => all.set(space[4], { label: space[0], space: true, of: "", told: { owner: space[2], title: space[0] } }));
  links.forEach((link, at) => {
    const told = Object.fromEntries(FIELDS.map((name) => [name, [link[name]].flat().join(", ")]));
    told.wires = wiresOf[at].map((one) => { const far = wires[one].a === at ? wires[one].b : wires[one].a; return `${wires[one].relation} ${far >= 0 ? label(far) : wires[one].far} ${wires[one].certainty}`; }).sort().join(", ");
    all.set(handleOf(at), { label: label(at), of: data.spaces[link.space][4], told });
  });
  return all;
}

function differences(before, after) {
  const made = [];
  const told = (sign, handle, one, text = "") => made.push({ sign, handle, label: one.label, text });
  before.forEach((one, handle) => { if (!after.has(handle) && (one.space || after.has(one.of))) told("gone", handle, one, one.space ? "the namespace" : ""); });
  after.forEach((one, handle) => {
    const was = before.get(handle);
    if (!was) { if (one.space || before.has(one.of)) told("new", handle, one, one.space ? "a namespace" : ""); return; }
    const other = Object.keys(one.told).filter((name) => one.told[name] !== was.told[name]);
    if (other.length) told("changed", handle, one, other.map((name) => `${name}: ${was.told[name] || "none"} → ${one.told[name] || "none"}`).join("; "));
  });
  after.forEach((one, handle) => { if (!before.has(handle) && (one.space || before.has(one.of))) marks.set(handle, "new"); });
  made.filter((one) => one.sign === "changed" && !marks.has(one.handle)).forEach((one) => marks.set(one.handle, "changed"));
  return made;
}

function tell(changes) {
  const now = clock(Date.now());
  const line = (sign, ...content) => { const made = tag("div", "", tag("time", now), " ", tag("b", sign), " ", ...content); made.className = sign; return made; };
  changes.slice(0, TOLD).forEach((one) => {
    const place = one.sign === "gone" ? tag("s", one.label) : action(one.label, () => lead(one.handle));
    log.append(line(one.sign, place, one.text ? `  ${one.text}` : ""));
  });
  if (changes.length > TOLD) log.append(line("changed", `and ${changes.length - TOLD} more`));
  while (log.children.length > REMEMBERED) log.firstChild.remove();
  collapse();
  log.scrollTop = log.scrollHeight;
}

// What is not on this picture changes, too: how much, and where it can be seen.
const isPart = ["from", "handle"].some((name) => new URLSearchParams(location.search).get(name));
let whole = null; // handle -> what is known of it, of the whole host
async function elsewhere() {
  if (!isPart) return;
  let said;
  try { said = await asked("map", {}); } catch { return; }
  const now = new Map();
  said.namespaces.forEach((one) => now.set(one.inode === null ? one.label : `net:[${one.inode}]`, one.label));
  said.links.forEach((one) => now.set(handleIn(one), JSON.stringify([one.ifname, one.kind, one.address, one.mtu, one.operstate, one.flags, one.addresses, one.master, one.owners])));
  const before = whole;
  whole = now;
  if (!before) return;
  const drawn = new Set([...links.map((_, at) => handleOf(at)), ...data.spaces.map((space) => space[4])]);
  const count = [...new Set([...before.keys(), ...now.keys()])].filter((one) => !drawn.has(one) && before.get(one) !== now.get(one)).length;
  if (!count) return;
  const line = tag("div", "", tag("time", clock(Date.now())), " ", tag("b", "changed"), " ", action(`${count} ${count > 1 ? "changes" : "change"} elsewhere`, () => { location.search = ""; }));
  line.className = "changed";
  log.append(line);
  collapse();
  log.scrollTop = log.scrollHeight;
}

function lead(handle) {
  const number = numberOf(handle);
  if (number >= 0) return goTo(number);
  const space = data.spaces.find((one) => one[4] === handle), card = space && elements.get(space[1]);
  if (card) { about(card); card.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  return undefined;
}

function unmark() {
  svg.querySelectorAll(".flag").forEach((one) => one.remove());
  svg.querySelectorAll(".fresh").forEach((one) => { one.classList.remove("fresh"); one.setAttribute("aria-label", one.dataset.label); });
}

ask.marked = () => {
  unmark();
  const flags = new Map();
  const note = (element, sign) => { if (element) (flags.has(element) ? flags.get(element) : flags.set(element, []).get(element)).push(sign); };
  links.forEach((_, at) => { if (marks.has(handleOf(at))) note(rowOf(at), marks.get(handleOf(at))); });
  data.spaces.forEach((space) => { if (marks.has(space[4])) note(elements.get(space[1]), marks.get(space[4])); });
  flags.forEach((signs, element) => {
    const box = element.querySelector(".band, .body"), top = Number(box.getAttribute("y"));
    const all = signs.every((one) => one === signs[0]) ? signs[0] : "changed";
    element.classList.add("fresh");
    element.dataset.label = element.getAttribute("aria-label");
    element.setAttribute("aria-label", `${element.dataset.label}, ${signs.length > 1 ? `${signs.length} ` : ""}${all}`);
    element.append(make("text", { class: "flag", x: Number(box.getAttribute("x")) - 5, y: top + 15 }, signs.length > 1 ? `${signs.length}${SIGNS.many}` : SIGNS[all]));
  });
};

// -- keeping up to date -----------------------------------------------------------------------------------------

// Who an element is, whatever picture it is in.
function who(element) {
  if (!element) return "";
  if (element.dataset.link) return handleOf(Number(element.dataset.link));
  const row = byRow.get(element.dataset.key);
  if (row) return handleOf(row[0]);
  const space = data.spaces.find((one) => one[1] === element.dataset.key);
  return space ? space[4] : "";
}

function whereIs(handle) {
  const number = numberOf(handle), space = data.spaces.find((one) => one[4] === handle);
  return (number >= 0 ? rowOf(number) : space && elements.get(space[1])) || null;
}

function swap(picture, known) {
  const before = remembered(), focus = document.activeElement;
  const at = { chosen: who(chosen), focused: svg.contains(focus) ? who(focus.closest("[data-key], [data-link]")) : "", open: [...opened.keys()].map((fan) => fan.members.flat(2).filter((one) => one >= 0).map(handleOf)), left: sheet.scrollLeft, top: sheet.scrollTop, panel: panel.scrollTop };
  const inPanel = panel.contains(focus) ? focus.textContent : "", inFound = found.contains(focus);
  const anchor = whereIs(at.focused || at.chosen), height = anchor && anchor.getBoundingClientRect().top;
  ["dark", "light"].forEach((name) => picture.classList.toggle(name, document.documentElement.classList.contains(name)));
  svg.replaceWith(picture);
  take(picture, known);
  data.fans.forEach((fan) => {
    const members = new Set(fan.members.flat(2).filter((one) => one >= 0).map(handleOf));
    if (at.open.some((handles) => handles.some((one) => members.has(one)))) unfold(fan);
  });
  toggled();
  const changes = differences(before, remembered());
  if (changes.length) tell(changes);
  ask.marked();
  again(at, inPanel);
  const now = whereIs(at.focused || at.chosen);
  sheet.scrollTo(at.left, at.top);
  if (anchor && now) sheet.scrollBy(0, now.getBoundingClientRect().top - height);
  if (!found.hidden) { look(); if (inFound) search.focus(); }
}

// The panel and the focus as they were, on what they were on.
function again(at, inPanel) {
  const element = at.chosen && whereIs(at.chosen);
  chosen = null;
  if (!panel.hidden && element) {
    about(element);
    panel.scrollTop = at.panel;
    light(element);
    const same = inPanel && [...panel.querySelectorAll("button")].find((one) => one.textContent === inPanel);
    if (same) same.focus();
  } else if (!panel.hidden && at.chosen) {
    choose(null, tag("h2", "gone"), tag("p", "What was chosen here is not there any more."));
  }
  const focused = at.focused && whereIs(at.focused);
  if (focused) focused.focus({ preventScroll: true });
}

let busy = false, wanted = false;
async function refresh() {
  wanted = true;
  if (busy) return;
  busy = true;
  let reached = true;
  try {
    while (wanted) {
      [wanted, reached] = [false, false];
      const answer = await fetched(location.pathname + location.search);
      const text = await answer.text();
      reached = true;
      if (!answer.ok) { const said = JSON.parse(text); throw new Error([said.reason, said.hint].map(shown).join(": ")); }
      const page = new DOMParser().parseFromString(text, "text/html");
      swap(document.adoptNode(page.querySelector("svg.nswire")), JSON.parse(page.getElementById("data").textContent));
      tellWay();
      elsewhere();
      alive();
    }
  } catch (error) {
    lost(String(error.message));
    if (!reached && source && source.readyState !== EventSource.CLOSED) setTimeout(refresh, 1000);
  } finally {
    busy = false;
  }
}

const clock = (time) => new Date(time).toLocaleTimeString([], { hourCycle: "h23" });
function alive() {
  state.className = "";
  state.textContent = data.live ? `live, as of ${clock(data.taken)}` : `a recording, as of ${new Date(data.taken).toLocaleString()}`;
}

function lost(why) {
  if (state.className === "lost") return;
  state.className = "lost";
  state.textContent = `not live: as of ${clock(data.taken)}`;
  const made = tag("div", "", tag("time", clock(Date.now())), " ", tag("b", "not live"), ` ${shown(why)}`);
  made.className = "gone";
  log.append(made);
  collapse();
  log.scrollTop = log.scrollHeight;
}

let source = null;
function listen() {
  source = new EventSource(`${API}events`);
  const told = (event) => { if (JSON.parse(event.data) !== data.state) refresh(); else alive(); };
  source.addEventListener("state", told);
  source.addEventListener("changed", told);
  source.addEventListener("ended", (event) => { source.close(); lost(JSON.parse(event.data)); });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) refresh(); // which is told why
    else lost("the connection was lost; it is tried again");
  });
}

// -- saving, and the begin --------------------------------------------------------------------------------------

async function savePicture() {
  const image = new Image(), address = URL.createObjectURL(drawing());
  image.src = address;
  await image.decode();
  const by = Math.min(2, LARGEST / viewBox.width, LARGEST / viewBox.height), canvas = tag("canvas");
  [canvas.width, canvas.height] = [Math.round(viewBox.width * by), Math.round(viewBox.height * by)];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(address);
  canvas.toBlob((blob) => save(blob, "network.png"), "image/png");
}

const json = tag("a", "Save JSON");
json.href = `${API}map${location.search}`;
json.download = "network.json";
json.className = "button";
$("save").after(" ", action("Save PNG", savePicture), " ", json);
$("more").after(route, state);
document.body.append(news);
collapse();
ask.begun = () => {
  alive();
  tellWay();
  if (data.live) { elsewhere(); listen(); }
};
