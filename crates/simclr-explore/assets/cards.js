// Photos in lists. Names are other people's text: they are set as text, and never as markup.

import { thumbnail } from "./server.js";

export function element(name, properties = {}, ...children) {
  const { class: kind, data, aria, ...rest } = properties;
  const made = Object.assign(document.createElement(name), rest);
  if (kind) made.className = kind;
  if (data) Object.assign(made.dataset, data);
  for (const [key, value] of Object.entries(aria ?? {})) made.setAttribute(`aria-${key}`, value);
  made.append(...children);
  return made;
}

export function button(text, act, properties = {}) {
  const made = element("button", { type: "button", ...properties }, text);
  made.addEventListener("click", act);
  return made;
}

export function picture(row, name) {
  const image = element("img", { loading: "lazy", decoding: "async", alt: name, src: thumbnail(row) });
  image.addEventListener("error", () => {
    image.alt = `${name} (cannot be read any more)`;
  });
  return image;
}

export const percent = (share) => `${Math.round(100 * share)} %`;

// What is known of a photo, in words.
export function classOf({ label, guess, probability }) {
  if (label !== null) return label;
  return guess === null ? "" : `${guess}? ${percent(probability)}`;
}

// A photo with its name and what can be done with it: `actions` are pairs of a text and a function.
export function card(item, figure, actions) {
  const made = element("li", { class: item.aside ? "card aside" : "card", data: { row: item.row } });
  const find = button("", () => actions.open(item), {
    class: "picture",
    title: item.name,
    aria: { label: `Find photos like ${item.name}` },
  });
  find.append(picture(item.row, item.name));
  made.append(find);
  if (figure) made.append(element("span", { class: "figure" }, figure));
  const known = classOf(item);
  if (known) made.append(element("span", { class: "class" }, element("bdi", {}, known)));
  made.append(element("bdi", { title: item.name }, item.name));
  const row = element("span", { class: "actions" });
  for (const [text, label, act] of actions.more) {
    row.append(button(text, () => act(item), { aria: { label: `${label}: ${item.name}` }, title: label }));
  }
  if (actions.more.length) made.append(row);
  return made;
}
