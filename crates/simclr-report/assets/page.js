"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const tip = document.getElementById("tip");
  const SVG = "http://www.w3.org/2000/svg";

  // Names are other people's text: they are set as text, and never as markup.
  function paragraph(text, name) {
    const element = document.createElement("p");
    element.textContent = text;
    if (name) element.className = name;
    return element;
  }

  function element(name, attributes) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function showTip(content, x, y) {
    tip.replaceChildren(...content);
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const left = x + 16 + width > innerWidth ? x - 16 - width : x + 16;
    const top = y + 16 + height > innerHeight ? y - 16 - height : y + 16;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, top)}px`;
  }

  // A point of the screen as one of the picture, and back.
  const onPicture = (svg, x, y) => new DOMPoint(x, y).matrixTransform(svg.getScreenCTM().inverse());
  const onScreen = (svg, x, y) => new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());

  function nearest(items, distance) {
    let best = 0;
    items.forEach((item, index) => {
      if (distance(item) < distance(items[best])) best = index;
    });
    return best;
  }

  function listen(svg, point, move, leave) {
    svg.addEventListener("pointermove", (event) => point(onPicture(svg, event.clientX, event.clientY)));
    svg.addEventListener("pointerdown", (event) => point(onPicture(svg, event.clientX, event.clientY)));
    svg.addEventListener("pointerleave", leave);
    svg.addEventListener("blur", leave);
    svg.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (event.key === "Escape") leave();
      if (!by) return;
      event.preventDefault();
      move(by);
    });
  }

  // Curves: values under the pointer.

  const number = (value) => String(Number(value.toPrecision(4)));

  function chart({ id, suffix, frame, axis, x, y, lines }) {
    const svg = document.getElementById(`chart-${id}`);
    const cursor = svg.querySelector(".cursor");
    const [left, right, top, bottom] = frame;
    const longest = lines.reduce((a, b) => (b.points.length > a.points.length ? b : a));
    let current = 0;
    const across = (value) => left + ((value - x[0]) / (x[1] - x[0])) * (right - left);
    const down = (value) => bottom - ((value - y[0]) / (y[1] - y[0])) * (bottom - top);

    function show(index) {
      current = Math.min(Math.max(index, 0), longest.points.length - 1);
      const pointed = longest.points[current][0];
      const place = across(pointed);
      const marks = [element("line", { x1: place, x2: place, y1: top, y2: bottom })];
      const content = [paragraph(`${axis} ${number(pointed)}`)];
      lines.forEach(({ name, style, points }) => {
        if (!points.length) return;
        const [at, mean, low, high] = points[nearest(points, (point) => Math.abs(point[0] - pointed))];
        marks.push(element("circle", { class: style, cx: across(at), cy: down(mean), r: 4 }));
        const range = low < high ? ` (${number(low)} to ${number(high)})` : "";
        content.push(paragraph(`${name} ${number(mean)}${suffix}${range}`, "first"));
      });
      cursor.replaceChildren(...marks);
      const screen = onScreen(svg, place, top);
      showTip(content, screen.x, screen.y);
    }

    const under = ({ x: place }) => show(nearest(longest.points, (point) => Math.abs(across(point[0]) - place)));
    listen(svg, under, (by) => show(current + by), () => {
      cursor.replaceChildren();
      tip.hidden = true;
    });
  }

  data.charts.forEach(chart);

  // The map: an image under the pointer, two ways to lay it out, and one class at a time.

  const { tile, columns, classes, points } = data.map;
  const svg = document.getElementById("points");
  const marks = [...svg.querySelectorAll("use.point")];
  const sheet = document.getElementById("thumbnails");
  const REACH = 22;
  const SHOWN = 112;
  let projection = "tsne";
  let pointed = -1;

  function thumbnail(index) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SHOWN * Math.ceil(devicePixelRatio);
    const [left, top] = [(index % columns) * tile, Math.floor(index / columns) * tile];
    const size = canvas.width;
    canvas.getContext("2d").drawImage(sheet, left, top, tile, tile, 0, 0, size, size);
    return canvas;
  }

  function leave() {
    if (pointed >= 0) marks[pointed].classList.remove("pointed");
    pointed = -1;
    tip.hidden = true;
  }

  function point(index) {
    leave();
    pointed = index;
    marks[index].classList.add("pointed");
    const { class: label, name, [projection]: place } = points[index];
    const content = [thumbnail(index)];
    if (label !== null) content.push(paragraph(classes[label] ?? `class ${label}`, "first"));
    content.push(paragraph(name));
    const screen = onScreen(svg, ...place);
    showTip(content, screen.x, screen.y);
  }

  function under({ x, y }) {
    const far = ({ [projection]: place }) => Math.hypot(place[0] - x, place[1] - y);
    const index = nearest(points, far);
    if (far(points[index]) > REACH) leave();
    else if (index !== pointed) point(index);
  }

  const next = (by) => point((Math.max(pointed, by < 0 ? 0 : -1) + by + points.length) % points.length);
  listen(svg, under, next, leave);

  const choice = document.getElementById("projection");
  if (choice) {
    choice.hidden = false;
    choice.addEventListener("change", (event) => {
      projection = event.target.value;
      leave();
      points.forEach(({ [projection]: [x, y] }, index) => {
        marks[index].setAttribute("transform", `translate(${x} ${y})`);
      });
      for (const caption of document.querySelectorAll("[data-projection]")) {
        caption.hidden = caption.dataset.projection !== projection;
      }
    });
  }

  document.getElementById("legend")?.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
    const pressed = [...document.querySelectorAll("#legend [aria-pressed=true]")];
    const chosen = new Set(pressed.map((other) => Number(other.dataset.class)));
    svg.classList.toggle("some", chosen.size > 0);
    points.forEach(({ class: label }, index) => marks[index].classList.toggle("chosen", chosen.has(label)));
  });
})();
