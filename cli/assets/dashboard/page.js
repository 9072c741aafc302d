// What the pages gain by a script: changes appear by themselves, and the keyboard moves between images. Every page works
// without it.
"use strict";

const SUMMED_UP_EVERY = 5000;
const REFRESHED_AFTER = 400;

// Live changes: the server names the changed actors; the page reads itself again and replaces the parts that differ.

const messages = document.getElementById("messages");
const changed = new Set();
let source = null;
let refresh = null;

function listen() {
  const address = document.body.dataset.events;
  if (!address || source || document.hidden) return;
  source = new EventSource(address);
  source.addEventListener("actor", (event) => {
    changed.add(event.data);
    refresh ??= setTimeout(update, REFRESHED_AFTER);
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    source?.close();
    source = null;
  } else {
    listen();
    if (document.body.dataset.events) update();
  }
});

async function update() {
  clearTimeout(refresh);
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.ok) replaceParts(page);
    else say(page.querySelector("main")?.innerText ?? "The dashboard has a problem.");
  } catch {
    say("The dashboard does not answer. Is it still running?");
  }
  refresh = null;
}

function replaceParts(page) {
  document.querySelectorAll("[data-live-list]").forEach((list) => replaceList(list, page.getElementById(list.id)));
  document.querySelectorAll("[data-live]").forEach((part) => {
    const fresh = page.getElementById(part.id);
    if (fresh && !isSame(part, fresh)) replacePart(part, fresh);
  });
}

// Rows come, go and change their order.
function replaceList(list, fresh) {
  if (!fresh) return;
  const ids = (element) => [...element.children].map((row) => row.id).join();
  if (ids(list) !== ids(fresh)) replacePart(list, fresh);
}

function isSame(part, fresh) {
  const plain = (element) => {
    const copy = element.cloneNode(true);
    copy.querySelectorAll("[tabindex]").forEach((link) => link.removeAttribute("tabindex"));
    copy.querySelectorAll("details").forEach((details) => details.removeAttribute("open"));
    copy.classList.remove("changed");
    return copy.innerHTML;
  };
  return plain(part) === plain(fresh);
}

function replacePart(part, fresh) {
  const opened = [...part.querySelectorAll("details[open]")].map((details) => details.closest("[id]")?.id);
  const focused = part.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  const selected = [...part.querySelectorAll("input:checked")].map((box) => box.value);
  const copy = document.importNode(fresh, true);
  part.replaceWith(copy);
  copy.classList.add("changed");
  opened.filter(Boolean).forEach((id) => document.getElementById(id)?.querySelector("details")?.setAttribute("open", ""));
  copy.querySelectorAll("input[type=checkbox]").forEach((box) => {
    box.checked = selected.includes(box.value);
  });
  prepareGrids();
  if (focused) [...copy.querySelectorAll("a, button, input")].find((element) => nameOf(element) === focused)?.focus();
}

// What a link, button or checkbox is about, so that its successor in a replaced part can be found.
function nameOf(element) {
  return element.getAttribute("href") ?? [element.localName, element.name, element.value].join("=");
}

function say(text) {
  messages.textContent = text;
}

setInterval(() => {
  if (changed.size === 0) return;
  const names = [...changed].filter(Boolean);
  say(names.length === 1 ? `${names[0]} has changed.` : `${names.length} actors have changed.`);
  changed.clear();
}, SUMMED_UP_EVERY);

// Keys: one image of each grid can be reached by Tab, and the others from it by arrows.

const KEYS_SETTING = "single-keys";
const keys = document.getElementById("keys");
const singleKeys = document.getElementById("single-keys");

singleKeys.checked = localStorage.getItem(KEYS_SETTING) !== "off";
singleKeys.addEventListener("change", () => localStorage.setItem(KEYS_SETTING, singleKeys.checked ? "on" : "off"));

function items() {
  return [...document.querySelectorAll("[data-grid] a.open, .rows h2 a")];
}

function prepareGrids() {
  document.querySelectorAll("[data-grid]").forEach((grid) => {
    const links = [...grid.querySelectorAll("a.open")];
    const chosen = links.find((link) => link === document.activeElement) ?? links[0];
    links.forEach((link) => link.setAttribute("tabindex", link === chosen ? "0" : "-1"));
  });
}

document.addEventListener("focusin", (event) => {
  const grid = event.target.closest?.("[data-grid]");
  if (grid && event.target.matches("a.open")) prepareGrids();
});

// The nearest item in a direction; across the kinds of a sheet, too.
function neighbour(from, key) {
  const all = items();
  const at = all.indexOf(from);
  if (at < 0) return all[0];
  if (key === "ArrowLeft") return all[at - 1];
  if (key === "ArrowRight") return all[at + 1];
  const box = from.getBoundingClientRect();
  const sign = key === "ArrowDown" ? 1 : -1;
  const distance = (link) => {
    const other = link.getBoundingClientRect();
    const down = sign * (other.top - box.top);
    return down > 1 ? down * 10 + Math.abs(other.left - box.left) : Infinity;
  };
  const nearest = all.reduce((best, link) => (distance(link) < distance(best) ? link : best), from);
  return nearest === from ? undefined : nearest;
}

function move(key) {
  const step = { ArrowLeft: "previous", ArrowRight: "next" }[key];
  const link = document.getElementById(step);
  if (link) {
    link.click();
    return true;
  }
  const target = neighbour(document.activeElement, key);
  target?.focus();
  return Boolean(target);
}

// Actions: a key presses a button of the page, if the page has it.

function cardInFocus() {
  return document.activeElement?.closest(".card");
}

// The button for the selected images, or that of the image in focus, or that of the page of one image.
function press(action) {
  const form = document.querySelector("#selection");
  const ofSelection = form?.querySelector("input:checked") && form.querySelector(`.selection [data-act=${action}]`);
  const button =
    ofSelection ||
    cardInFocus()?.querySelector(`[data-act=${action}]`) ||
    document.querySelector(`.own-actions [data-act=${action}], .notice [data-act=${action}]`);
  button?.click();
  return Boolean(button);
}

function select() {
  const box = document.activeElement.matches("a.open") && cardInFocus()?.querySelector("input[type=checkbox]");
  if (box) box.checked = !box.checked;
  return Boolean(box);
}

function goTo(id, link) {
  const target = document.getElementById(id);
  if (target) target.focus();
  else if (link) location.href = `${link.href.split("#")[0]}#${id}`;
  return Boolean(target || link);
}

const ACTIONS = {
  " ": select,
  p: () => press("pin"),
  x: () => press("delete"),
  u: () => press("undo"),
  c: () => goTo("caption", cardInFocus()?.querySelector("a.open")),
  a: () => goTo("approve", document.querySelector('.tabs a[href$="/plan"]')),
};

const LETTERS = { j: "ArrowDown", k: "ArrowUp", h: "ArrowLeft", l: "ArrowRight" };

function act(key, isLetter) {
  if (key.startsWith("Arrow")) {
    const isOnItem = items().includes(document.activeElement) || document.getElementById("back");
    return (isLetter || isOnItem) && move(key);
  }
  if (key === "Escape") {
    document.getElementById("back")?.click();
    return false;
  }
  if (key in ACTIONS) return ACTIONS[key]();
  if (key === "/" || key === "?") {
    const search = document.getElementById("search");
    if (key === "?") keys.showModal();
    else search?.focus();
    return key === "?" || Boolean(search);
  }
  return false;
}

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, select, textarea, dialog");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const isSingle = event.key.length === 1;
  if (isSingle && !singleKeys.checked) return;
  if (act(LETTERS[event.key] ?? event.key, event.key in LETTERS)) event.preventDefault();
});

// A page shows the notice of an action once; its address can be kept.
const here = new URL(location.href);
here.searchParams.delete("note");
// A refused approval shows the present plan, which is read again at its own address.
here.pathname = here.pathname.replace(/\/approve$/, "/plan");
if (here.href !== location.href) history.replaceState(null, "", here);

// A key on another page has led here.
if (["#caption", "#approve"].includes(location.hash)) document.getElementById(location.hash.slice(1))?.focus();

prepareGrids();
listen();
