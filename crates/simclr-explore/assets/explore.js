// The page: what is shown, and what keys and buttons do.

import { button, card, classOf, element, percent, picture } from "./cards.js";
import { PhotoMap, cssColour } from "./map.js";
import { binary, json, photo, post, thumbnail, upload } from "./server.js";

const $ = (id) => document.getElementById(id);
const FOUND = 60;
const ODD = 120;
const QUEUE = 13;

let about = { images: 0 };
let summary = { classes: [], labels: 0, revision: 0 };
let queue = [];
let skipped = new Set();
let examples = [];
let groups = null;
let searches = 0;

// Telling.

function say(text) {
  $("said").textContent = "";
  requestAnimationFrame(() => {
    $("said").textContent = text;
  });
}

function alarm(text) {
  $("alarm").textContent = text;
  $("alarm").hidden = !text;
}

// Does something that may fail, and shows why it did.
function tried(act) {
  return async (...given) => {
    try {
      return await act(...given);
    } catch (error) {
      alarm(error.message);
      return undefined;
    }
  };
}

const photos = (count) => (count === 1 ? "1 photo" : `${count.toLocaleString("en")} photos`);

// The map.

export const map = new PhotoMap($("map"), {
  selected: showSelection,
  pointed: tried(tellPointed),
  hovered: tried(showTip),
  clicked: (row) => findLike([{ row }]),
  lassoed: () => $("class").focus(),
});

async function tellPointed(row) {
  if (row < 0 || document.activeElement !== $("map")) return;
  const item = await json(`image/${row}`);
  if (map.cursor !== row) return;
  const [x, y] = map.onScreen(row);
  fillTip(item, x, y);
  say(`${item.name}${classOf(item) ? `, ${classOf(item)}` : ""}${map.selected[row] ? ", selected" : ""}`);
}

let hovered = -1;
async function showTip(row, event) {
  if (row === hovered) return;
  hovered = row;
  if (row < 0) {
    $("tip").hidden = true;
    return;
  }
  const { clientX, clientY } = event;
  const item = await json(`image/${row}`);
  if (hovered === row) fillTip(item, clientX, clientY);
}

function fillTip(item, x, y) {
  const tip = $("tip");
  const [image, first, second] = tip.children;
  image.src = thumbnail(item.row);
  first.textContent = classOf(item);
  second.textContent = item.name;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, x + 16 + width > innerWidth ? x - 16 - width : x + 16)}px`;
  tip.style.top = `${Math.max(4, y + 16 + height > innerHeight ? y - 16 - height : y + 16)}px`;
}

function showSelection(count) {
  $("selection").hidden = count === 0;
  $("selected").textContent = `${photos(count)} selected`;
  for (const made of document.querySelectorAll(".card")) {
    made.classList.toggle("chosen", Boolean(map.selected[Number(made.dataset.row)]));
  }
}

async function loadRows() {
  const { bytes } = await binary("rows");
  const count = about.images;
  const labels = new Uint16Array(bytes, 0, count);
  const guesses = new Uint16Array(bytes, 2 * count, count);
  const sure = new Uint8Array(bytes, 4 * count, count);
  const aside = new Uint8Array(bytes, 5 * count, count);
  map.setRows({ labels, guesses, sure, aside });
}

async function loadGroups(path) {
  groups = await json(path);
  map.setGroups(groups.groups, groups.of);
  showGroups();
}

// Labels.

let refreshing = 0;
async function changed(next) {
  summary = next;
  showSummary();
  refreshing += 1;
  const mine = refreshing;
  await Promise.all([loadRows(), loadQueue()]);
  await Promise.all([refreshList(), mine === refreshing ? showAccuracy(mine) : null]);
}

function showSummary() {
  const { labels, unsaved, undoable } = summary;
  const classes = shownClasses();
  $("undo").disabled = undoable === 0;
  alarm(unsaved ? `Not saved: ${unsaved}. Your labels are kept here and tried again; make room before you end the command.` : "");
  $("saved").textContent = unsaved ? "not saved" : `${labels.toLocaleString("en")} labels, saved`;
  const names = classes.map(({ name }) => element("option", { value: name }));
  $("class-names").replaceChildren(...names);
  $("no-classes").hidden = classes.length > 0;
  const rows = classes.map(({ name, labels: count, number }, at) => {
    const swatch = element("span", { class: "swatch" });
    swatch.style.background = cssColour(number);
    const made = button("", () => labelTarget(name), { aria: { label: `Label with ${name}`, ...(at < 9 && { keyshortcuts: String(at + 1) }) } });
    const key = at < 9 ? [element("kbd", {}, String(at + 1))] : [];
    made.append(...key, swatch, element("bdi", {}, name), element("span", { class: "count" }, String(count)));
    const select = button("Select", () => selectClass(number), { aria: { label: `Select the photos of ${name}` } });
    return element("li", {}, made, select);
  });
  $("classes").replaceChildren(...rows);
}

// Classes that have labels: one whose labels were all taken back is no longer one.
function shownClasses() {
  return summary.classes.map((found, number) => ({ ...found, number })).filter((found) => found.labels > 0);
}

function selectClass(index) {
  const rows = [];
  map.labels.forEach((label, row) => {
    if (label === index) rows.push(row);
  });
  map.select(rows, false);
  say(`${photos(rows.length)} selected`);
}

async function showAccuracy(mine) {
  const { held_out: found } = await json("held-out");
  if (mine !== refreshing) return;
  const text = $("accuracy");
  if (!found) text.textContent = "Labels of two classes teach a classifier.";
  else if (found.labels < 10) text.textContent = `A classifier has learnt from ${found.labels} labels; from 10 on it is tested.`;
  else {
    const warning = " Most of these labels were given to several photos at once. Photos of a group are alike, so this says how well groups fit, rather than how good the classifier is: label single photos to find out.";
    text.textContent = `${percent(found.accuracy)} of ${found.labels} labels are told right by the others (${found.right} of ${found.labels}).${2 * found.together > found.labels ? warning : ""}`;
  }
}

async function loadQueue() {
  const { next } = await json(`next/${QUEUE + skipped.size}`);
  queue = next.filter(({ row }) => !skipped.has(row)).slice(0, QUEUE);
  showQueue();
}

function showQueue() {
  const [first, ...rest] = queue;
  $("asked").hidden = $("answer").hidden = !first;
  $("nothing-next").hidden = Boolean(first);
  if (first) {
    const [image, caption] = $("asked").children;
    if (image.dataset.row !== String(first.row)) {
      image.dataset.row = first.row;
      image.src = photo(first.row);
    }
    image.alt = first.name;
    caption.children[0].textContent = first.name;
    caption.children[1].textContent = first.guess === null ? "" : `perhaps ${first.guess}, ${percent(first.probability)}`;
  }
  $("queue").replaceChildren(...rest.map((item) => card(item, "", { open: () => moveUp(item), more: [] })));
  for (const open of $("queue").querySelectorAll("button")) open.setAttribute("aria-label", open.getAttribute("aria-label").replace("Find photos like", "Label next:"));
}

function moveUp(item) {
  queue = [item, ...queue.filter(({ row }) => row !== item.row)];
  showQueue();
}

// Photos that have their answer are asked for no longer, while the next ones are still being chosen.
function leaveQueue(rows) {
  const gone = new Set(rows);
  queue = queue.filter(({ row }) => !gone.has(row));
  showQueue();
}

function skip() {
  if (!queue.length) return;
  skipped.add(queue[0].row);
  tried(loadQueue)();
}

const isShown = (name) => !$(`page-${name}`).hidden;

// What a key is about: the selection, or the photo that has the focus, or the one that is asked for.
function target() {
  if (map.selectedCount) return map.selection();
  const focused = document.activeElement?.closest?.(".card");
  if (focused) return [Number(focused.dataset.row)];
  if (document.activeElement === $("map") && map.cursor >= 0) return [map.cursor];
  if (isShown("label") && queue.length) return [queue[0].row];
  return map.cursor >= 0 ? [map.cursor] : [];
}

const label = tried(async (rows, name) => {
  if (!rows.length) return;
  const next = await post("labels", { rows, class: name });
  leaveQueue(rows);
  say(name === null ? `${photos(rows.length)} without a label` : `${photos(rows.length)} labelled ${name}`);
  map.clear();
  await changed(next);
});

const labelTarget = (name) => label(target(), name);

const setAside = tried(async (rows, aside) => {
  if (!rows.length) return;
  const next = await post("aside", { rows, aside });
  if (aside) leaveQueue(rows);
  say(aside ? `${photos(rows.length)} set aside` : `${photos(rows.length)} taken back`);
  map.clear();
  await changed(next);
});

const undo = tried(async () => {
  const next = await post("undo");
  say("undone");
  await changed(next);
});

// Searching.

// What cards of photos let one do.
const actions = {
  open: ({ row }) => findLike([{ row }]),
  more: [
    ["+", "More like this", ({ row }) => addExample({ row }, true)],
    ["−", "Not like this", ({ row }) => addExample({ row }, false)],
    ["✓", "Select", ({ row }) => map.toggle(row)],
    ["×", "Set aside, or take back", ({ row, aside }) => setAside([row], !aside)],
  ],
};

function findLike(list) {
  examples = list.map((example) => ({ ...example, like: true }));
  open("search");
  return search();
}

function addExample(example, like) {
  examples = examples.filter((other) => other.row === undefined || other.row !== example.row);
  examples.push({ ...example, like });
  open("search");
  return search();
}

const search = tried(async () => {
  showExamples();
  const asked = (like) => examples.filter((it) => it.like === like).map(({ row, upload: number }) => (row === undefined ? { upload: number } : { row }));
  const like = asked(true);
  searches += 1;
  const mine = searches;
  if (!like.length) {
    $("found").replaceChildren();
    $("select-found").hidden = true;
    return;
  }
  const { results } = await post("search", { like, unlike: asked(false), count: FOUND });
  if (mine !== searches) return;
  $("found").replaceChildren(...results.map(({ item, cosine }) => card(item, cosine.toFixed(4), actions)));
  $("select-found").hidden = results.length === 0;
  showSelection(map.selectedCount);
  const first = examples.find(({ row }) => row !== undefined);
  if (first) {
    map.cursor = first.row;
    map.reveal(first.row);
    map.redraw();
  }
  say(`${photos(results.length)} found`);
});

function showExamples() {
  const made = examples.map((example) => {
    const { row, like, address, name } = example;
    const image = row === undefined ? element("img", { src: address, alt: name }) : picture(row, `photo ${row}`);
    const text = like ? "like" : "not like";
    const turn = button(text, () => {
      example.like = !example.like;
      search();
    }, { aria: { label: `Example ${text}: turn around` } });
    const drop = button("×", () => {
      examples = examples.filter((other) => other !== example);
      search();
    }, { aria: { label: "Remove this example" } });
    return element("li", { class: like ? "example" : "example unlike" }, image, turn, drop);
  });
  $("examples").replaceChildren(...made);
}

const searchFile = tried(async (file) => {
  if (!file) return;
  open("search");
  say("looking at the image");
  const { upload: number } = await upload(file);
  examples = [{ upload: number, like: true, address: URL.createObjectURL(file), name: file.name || "pasted image" }];
  alarm("");
  await search();
});

// Groups.

function showGroups() {
  const made = groups.groups.map(({ medoid, name, size }, index) => {
    const members = () => {
      const rows = [];
      groups.of.forEach((of, row) => {
        if (of === index) rows.push(row);
      });
      return rows;
    };
    const input = element("input", { maxLength: 255, autocomplete: "off", aria: { label: `Class of group ${index + 1}` } });
    input.setAttribute("list", "class-names");
    const form = element("form", { class: "bar" }, input, element("button", {}, "Label all"), button("Select", () => {
      map.select(members(), false);
      say(`${photos(size)} selected`);
    }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (input.value.trim()) label(members(), input.value);
    });
    const swatch = element("span", { class: "swatch" });
    swatch.style.background = cssColour(index);
    const open = button("", () => findLike([{ row: medoid }]), { class: "picture", aria: { label: `Find photos like ${name}` } });
    open.append(picture(medoid, name));
    const text = element("div", { class: "about" }, swatch, ` Group ${index + 1}: ${photos(size)}`, form);
    return element("li", { class: "group", data: { group: index } }, open, text);
  });
  $("groups").replaceChildren(...made);
}

// Copies, odd photos, and those set aside.

const lookForCopies = tried(async () => {
  $("look").disabled = true;
  let found = await post("copies");
  while (found.state === "working") {
    $("copies-progress").textContent = found.of ? `${found.what}: ${found.done.toLocaleString("en")} of ${found.of.toLocaleString("en")}` : found.what;
    await new Promise((resolve) => setTimeout(resolve, 500));
    found = await json("copies");
  }
  $("look").disabled = false;
  showCopies(found);
});

function showCopies(found) {
  if (found.state === "failed") {
    $("copies-progress").textContent = `The search failed: ${found.reason}`;
    return;
  }
  if (found.state !== "done") return;
  $("look").hidden = true;
  const { groups: sets } = found;
  const copies = sets.reduce((sum, set) => sum + set.length - 1, 0);
  $("copies-progress").textContent = `${copies === 1 ? "1 copy" : `${copies.toLocaleString("en")} copies`} in ${sets.length === 1 ? "1 group" : `${sets.length.toLocaleString("en")} groups`}`;
  const isLeft = ({ item }, at) => at > 0 && !item.aside;
  const left = sets.flatMap((set) => set.filter(isLeft).map(({ item }) => item.row));
  $("aside-copies").hidden = left.length === 0;
  $("aside-copies").onclick = () => setAside(left, true);
  const made = sets.map((set) => {
    const cards = set.map(({ item, relation, likeness, width, height }) => {
      const text = `${relation}${likeness === null ? "" : ` ${likeness.toFixed(3)}`}, ${width} × ${height}`;
      return card(item, text, actions);
    });
    return element("li", {}, element("ol", { class: "cards" }, ...cards));
  });
  $("copies").replaceChildren(...made);
}

async function refreshList() {
  if (isShown("copies")) showCopies(await json("copies"));
  if (isShown("odd")) {
    const { odd } = await json(`odd/${ODD}`);
    $("odd").replaceChildren(...odd.map(({ item, distance }) => card(item, distance.toFixed(4), actions)));
  }
  if (isShown("lists")) {
    const { aside } = await json("aside");
    $("aside").replaceChildren(...aside.map((item) => card(item, "", actions)));
  }
  if (isShown("search") && examples.length) await search();
  showSelection(map.selectedCount);
}

// Tabs.

const tabs = [...document.querySelectorAll("[role=tab]")];

function open(name) {
  for (const tab of tabs) {
    const isOpen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", isOpen);
    tab.tabIndex = isOpen ? 0 : -1;
    $(tab.getAttribute("aria-controls")).hidden = !isOpen;
  }
}

tabs.forEach((tab, at) => {
  tab.addEventListener("click", tried(async () => {
    open(tab.id.slice(4));
    if (!isShown("search")) await refreshList();
  }));
  tab.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = tabs[(at + by + tabs.length) % tabs.length];
    next.focus();
    next.click();
  });
});

// Buttons and forms.

const onClick = (id, act) => $(id).addEventListener("click", act);
onClick("undo", undo);
onClick("zoom-in", () => map.zoom(1.5));
onClick("zoom-out", () => map.zoom(1 / 1.5));
onClick("zoom-all", () => map.fit());
onClick("lasso", toggleLasso);
onClick("clear", () => map.clear());
onClick("unlabel", () => label(map.selection(), null));
onClick("selection-aside", () => setAside(map.selection(), true));
onClick("selection-like", () => findLike(map.selection().slice(0, 100).map((row) => ({ row }))));
onClick("skip", skip);
onClick("asked-like", () => queue.length && findLike([{ row: queue[0].row }]));
onClick("select-found", () => map.select([...$("found").children].map(({ dataset }) => Number(dataset.row))));
onClick("look", lookForCopies);
onClick("help-button", () => $("help").showModal());
$("colour").addEventListener("change", ({ target: { value } }) => {
  map.colourBy = value;
  map.recolour();
});
$("lines").addEventListener("change", ({ target: { checked } }) => {
  map.showLines = checked;
  map.redraw();
});
$("selection").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("class").value;
  if (!name.trim()) return;
  $("class").value = "";
  label(map.selection(), name);
});
$("answer").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("new-class").value;
  if (!name.trim() || !queue.length) return;
  $("new-class").value = "";
  $("new-class").blur();
  label([queue[0].row], name);
});
$("regroup").addEventListener("submit", (event) => {
  event.preventDefault();
  tried(loadGroups)(`groups/${Number($("group-count").value)}`);
});

onClick("count-groups", tried(async () => {
  $("count-groups").disabled = true;
  say("counting groups");
  try {
    await loadGroups("groups/auto");
    $("group-count").value = groups.groups.length;
    say(`${groups.groups.length} groups`);
  } finally {
    $("count-groups").disabled = false;
  }
}));

function toggleLasso() {
  map.isLasso = !map.isLasso;
  $("lasso").setAttribute("aria-pressed", map.isLasso);
  $("map").classList.toggle("lasso", map.isLasso);
}

// Files that are dropped, chosen or pasted.

$("file").addEventListener("change", ({ target: input }) => {
  searchFile(input.files[0]);
  input.value = "";
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  $("drop").classList.add("over");
});
addEventListener("dragleave", () => $("drop").classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  searchFile(event.dataTransfer?.files[0]);
});
addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
  if (file) searchFile(file);
});

// Keys.

const KEYS = [
  ["1 to 9", "label the selection, the photo with the focus, or the one that is asked for, with that class", ({ key }) => {
    const found = shownClasses()[Number(key) - 1];
    if (found) labelTarget(found.name);
  }, /^[1-9]$/],
  ["n", "name a class", () => {
    const input = map.selectedCount ? $("class") : $("new-class");
    if (!map.selectedCount) open("label");
    input.focus();
  }],
  ["u, Ctrl+Z", "undo", undo, /^u$/],
  ["s", "skip the photo that is asked for", skip],
  ["a", "set aside", () => setAside(target(), true)],
  ["f", "find photos like it", () => {
    const rows = target();
    if (rows.length) findLike(rows.slice(0, 100).map((row) => ({ row })));
  }],
  ["Space", "select the photo under the map's cursor", () => map.cursor >= 0 && map.toggle(map.cursor), /^ $/],
  ["g", "select the cursor's group", () => {
    if (map.cursor < 0 || !groups) return;
    const group = groups.of[map.cursor];
    const rows = [];
    groups.of.forEach((of, row) => of === group && rows.push(row));
    map.select(rows);
    say(`${photos(rows.length)} selected`);
  }],
  ["e", "select the cursor's photo and its ten nearest", tried(async () => {
    if (map.cursor < 0) return;
    const { results } = await post("search", { like: [{ row: map.cursor }], count: 10 });
    map.select([map.cursor, ...results.map(({ item }) => item.row)]);
    say(`${photos(map.selectedCount)} selected`);
  })],
  ["l", "lasso on or off; Shift and drag does without", toggleLasso],
  ["arrows", "go to the next photo in that direction, on the map; with Shift, move the map", null],
  ["+, −, 0", "zoom in, out, and to all photos", ({ key }) => {
    if (key === "0") map.fit();
    else map.zoom(key === "-" || key === "−" ? 1 / 1.5 : 1.5);
  }, /^[-+=−0]$/],
  ["Esc", "clear the selection", () => map.clear(), /^Escape$/],
  ["?", "these keys", () => $("help").showModal()],
];

$("keys").replaceChildren(...KEYS.flatMap(([key, text]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, text)]));

addEventListener("keydown", (event) => {
  if ($("help").open) return;
  if ((event.ctrlKey || event.metaKey) && event.key === "z" && !event.target.matches?.("input")) {
    event.preventDefault();
    undo();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches?.("input:not([type=checkbox]):not([type=file]), select")) {
    if (event.key === "Escape") $("map").focus();
    return;
  }
  // Space presses buttons.
  if (event.key === " " && event.target !== $("map")) return;
  for (const [key, , act, pattern] of KEYS) {
    if (act && (pattern ? pattern.test(event.key) : key === event.key)) {
      event.preventDefault();
      act(event);
      return;
    }
  }
});

// The beginning.

async function begin() {
  about = await json("about");
  document.title = `${about.title} · simclr explore`;
  $("title").textContent = about.title;
  $("about").textContent = photos(about.images) + (about.skipped ? `, and ${about.skipped} that cannot be read` : "");
  $("group-count").max = Math.min(1000, about.images);
  const { bytes } = await binary("map");
  map.setPositions(new Float32Array(bytes));
  await changed(await json("labels"));
  await loadGroups("groups");
  const copies = await json("copies");
  if (copies.state === "working") lookForCopies();
  else showCopies(copies);
  document.documentElement.dataset.ready = "true";
}

tried(begin)();

// What could not be saved is tried again by the server: look whether it worked.
setInterval(async () => {
  if (!summary.unsaved) return;
  try {
    summary = await json("labels");
    showSummary();
  } catch (error) {
    alarm(error.message);
  }
}, 3000);
