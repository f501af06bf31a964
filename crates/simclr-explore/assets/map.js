// The map: points as pixels, pictures where there is room for them, lines around groups.

import { Pictures } from "./pictures.js";

const CELLS = 128;
const PICTURE = 56;
const MEDOID = 40;
// Points in sight up to which pictures are shown.
const FEW = 4000;
const NO_CLASS = 65535;
const CLOSEST = 200000;
const REACH = 14;

const PALETTE = ["#3b78d8", "#e08a00", "#12997a", "#d269a6", "#c8452c", "#4db6e4", "#8463c9", "#a89a1c", "#7d8590", "#8c5a35"];

// Colours of classes: ten, and then the same ones darker and lighter.
export function classColour(index) {
  const hex = PALETTE[index % PALETTE.length];
  const turn = Math.floor(index / PALETTE.length) % 3;
  const factor = [1, 0.62, 1.32][turn];
  return [1, 3, 5].map((at) => Math.min(255, Math.round(parseInt(hex.slice(at, at + 2), 16) * factor)));
}

export const cssColour = (index) => `rgb(${classColour(index).join(" ")})`;

function cssToRgb(text) {
  const hex = text.trim();
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

const packed = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
const mixed = (colour, paper, share) => colour.map((c, at) => Math.round(c * share + paper[at] * (1 - share)));

export class PhotoMap {
  constructor(canvas, events) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.events = events;
    this.pictures = new Pictures(() => this.redraw());
    this.positions = new Float32Array(0);
    this.count = 0;
    this.selected = new Uint8Array(0);
    this.selectedCount = 0;
    this.cursor = -1;
    this.groups = [];
    this.groupOf = null;
    this.showLines = true;
    this.colourBy = "label";
    this.isLasso = false;
    this.path = null;
    this.view = { x: 0.5, y: 0.5, scale: 1 };
    this.recolour();
    this.listen();
    new ResizeObserver(() => this.resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
  }

  // What is on it.

  setPositions(positions) {
    this.positions = positions;
    this.count = positions.length / 2;
    this.selected = new Uint8Array(this.count);
    this.colours = new Uint32Array(this.count);
    this.labels = new Uint16Array(this.count).fill(NO_CLASS);
    this.guesses = this.labels;
    this.sure = new Uint8Array(this.count);
    this.aside = new Uint8Array(this.count);
    this.index();
    this.recolour();
    this.fit();
  }

  // A grid of cells, each with its rows: what is out of sight is not looked at.
  index() {
    const starts = new Uint32Array(CELLS * CELLS + 1);
    const cells = new Uint16Array(this.count);
    for (let row = 0; row < this.count; row += 1) {
      const cell = this.cellAt(this.positions[2 * row]) + CELLS * this.cellAt(this.positions[2 * row + 1]);
      cells[row] = cell;
      starts[cell + 1] += 1;
    }
    for (let cell = 0; cell < CELLS * CELLS; cell += 1) starts[cell + 1] += starts[cell];
    const next = starts.slice();
    const order = new Uint32Array(this.count);
    for (let row = 0; row < this.count; row += 1) {
      order[next[cells[row]]] = row;
      next[cells[row]] += 1;
    }
    this.starts = starts;
    this.order = order;
    // The points' places in that order: a frame reads them one after the other.
    this.placesX = Float32Array.from(order, (row) => this.positions[2 * row]);
    this.placesY = Float32Array.from(order, (row) => this.positions[2 * row + 1]);
    this.ordered = new Uint32Array(this.count);
  }

  cellAt(place) {
    return Math.min(CELLS - 1, Math.max(0, Math.floor(place * CELLS)));
  }

  setRows({ labels, guesses, sure, aside }) {
    Object.assign(this, { labels, guesses, sure, aside });
    this.recolour();
  }

  setGroups(groups, groupOf) {
    this.groups = groups.map(({ medoid, lines }) => ({ medoid, lines: Float32Array.from(lines) }));
    this.groupOf = Uint16Array.from(groupOf);
    this.recolour();
  }

  recolour() {
    const style = getComputedStyle(document.documentElement);
    const rgb = (name) => cssToRgb(style.getPropertyValue(name));
    this.paper = rgb("--paper");
    this.ink = style.getPropertyValue("--ink").trim();
    this.accent = style.getPropertyValue("--accent").trim();
    this.accentPacked = packed(rgb("--accent"));
    const paper = this.paper;
    const dot = packed(mixed(rgb("--dot"), paper, 0.75));
    const faint = packed(mixed(rgb("--dot"), paper, 0.3));
    const full = new Map();
    const shades = (of, share) => {
      const key = of * 8 + Math.round(share * 7);
      if (!full.has(key)) full.set(key, packed(mixed(classColour(of), paper, 0.3 + 0.7 * Math.round(share * 7) / 7)));
      return full.get(key);
    };
    for (let row = 0; row < this.count; row += 1) {
      let colour = dot;
      if (this.aside[row]) colour = faint;
      else if (this.colourBy === "group" && this.groupOf) colour = shades(this.groupOf[row], 1);
      else if (this.labels[row] !== NO_CLASS) colour = shades(this.labels[row], 1);
      else if (this.colourBy === "guess" && this.guesses[row] !== NO_CLASS) colour = shades(this.guesses[row], this.sure[row] / 255);
      this.colours[row] = colour;
    }
    for (let at = 0; at < this.count; at += 1) this.ordered[at] = this.colours[this.order[at]];
    this.redraw();
  }

  select(rows, add = true) {
    if (!add) this.selected.fill(0);
    for (const row of rows) this.selected[row] = 1;
    this.selectionChanged();
  }

  toggle(row) {
    this.selected[row] ^= 1;
    this.selectionChanged();
  }

  clear() {
    this.selected.fill(0);
    this.selectionChanged();
  }

  selection() {
    const rows = [];
    for (let row = 0; row < this.count; row += 1) if (this.selected[row]) rows.push(row);
    return rows;
  }

  selectionChanged() {
    this.selectedCount = this.selected.reduce((sum, on) => sum + on, 0);
    this.events.selected(this.selectedCount);
    this.redraw();
  }

  // Where it is looked at.

  resize() {
    const ratio = Math.min(2, devicePixelRatio || 1);
    const { width, height } = this.canvas.getBoundingClientRect();
    const size = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
    if (this.canvas.width === size[0] && this.canvas.height === size[1] && this.pixels) return;
    const fits = !this.pixels || this.isWhole;
    [this.canvas.width, this.canvas.height] = size;
    this.ratio = ratio;
    this.image = this.context.createImageData(size[0], size[1]);
    this.pixels = new Uint32Array(this.image.data.buffer);
    if (fits) this.fit();
    this.redraw();
  }

  fit() {
    if (!this.pixels) return;
    this.view = { x: 0.5, y: 0.5, scale: 0.94 * Math.min(this.canvas.width, this.canvas.height) };
    this.isWhole = true;
    this.redraw();
  }

  zoom(factor, at = [this.canvas.width / 2, this.canvas.height / 2]) {
    const before = this.toMap(at);
    const least = 0.5 * Math.min(this.canvas.width, this.canvas.height);
    this.view.scale = Math.min(CLOSEST, Math.max(least, this.view.scale * factor));
    const after = this.toMap(at);
    this.view.x += before[0] - after[0];
    this.view.y += before[1] - after[1];
    this.moved();
  }

  pan(x, y) {
    this.view.x -= x / this.view.scale;
    this.view.y -= y / this.view.scale;
    this.moved();
  }

  moved() {
    this.view.x = Math.min(1.2, Math.max(-0.2, this.view.x));
    this.view.y = Math.min(1.2, Math.max(-0.2, this.view.y));
    this.isWhole = false;
    this.redraw();
  }

  // Shows a photo, with its surroundings, unless it is well in sight.
  reveal(row) {
    const [x, y] = this.place(row);
    const { width, height } = this.canvas;
    const margin = 40 * this.ratio;
    if (x < margin || y < margin || x > width - margin || y > height - margin) {
      this.view.x = this.positions[2 * row];
      this.view.y = this.positions[2 * row + 1];
      this.moved();
    }
  }

  // Pixels of the canvas, and back.
  place(row) {
    return [
      (this.positions[2 * row] - this.view.x) * this.view.scale + this.canvas.width / 2,
      (this.positions[2 * row + 1] - this.view.y) * this.view.scale + this.canvas.height / 2,
    ];
  }

  toMap([x, y]) {
    return [
      (x - this.canvas.width / 2) / this.view.scale + this.view.x,
      (y - this.canvas.height / 2) / this.view.scale + this.view.y,
    ];
  }

  // Where a photo is in the window.
  onScreen(row) {
    const { left, top } = this.canvas.getBoundingClientRect();
    const [x, y] = this.place(row);
    return [left + x / this.ratio, top + y / this.ratio];
  }

  // The rows of a rectangle of the map, roughly: runs of the order.
  eachRun([left, top], [right, bottom], each) {
    const [x0, x1] = [this.cellAt(left), this.cellAt(right)];
    for (let y = this.cellAt(top); y <= this.cellAt(bottom); y += 1) {
      each(this.starts[CELLS * y + x0], this.starts[CELLS * y + x1 + 1]);
    }
  }

  eachNear(low, high, each) {
    this.eachRun(low, high, (start, end) => {
      for (let at = start; at < end; at += 1) each(this.order[at]);
    });
  }

  // The photo nearest to a place of the canvas, within reach.
  nearest(x, y, reach) {
    if (!this.count) return -1;
    let [best, least] = [-1, reach * reach];
    this.eachNear(this.toMap([x - reach, y - reach]), this.toMap([x + reach, y + reach]), (row) => {
      const [px, py] = this.place(row);
      const far = (px - x) ** 2 + (py - y) ** 2;
      if (far < least) [best, least] = [row, far];
    });
    return best;
  }

  // The next photo from the cursor in a direction: near, and not far to the side.
  next(dx, dy) {
    if (!this.count) return;
    if (this.cursor < 0) {
      this.point(this.nearest(this.canvas.width / 2, this.canvas.height / 2, Infinity));
      return;
    }
    const [x, y] = [this.positions[2 * this.cursor], this.positions[2 * this.cursor + 1]];
    for (let reach = 4 / CELLS; reach < 4; reach *= 3) {
      let [best, least] = [-1, Infinity];
      this.eachNear([x - reach, y - reach], [x + reach, y + reach], (row) => {
        const [px, py] = [this.positions[2 * row] - x, this.positions[2 * row + 1] - y];
        const along = px * dx + py * dy;
        const aside = Math.abs(px * dy - py * dx);
        if (along > 0 && aside <= along && row !== this.cursor) {
          const far = along + 2 * aside;
          if (far < least) [best, least] = [row, far];
        }
      });
      if (best >= 0) {
        this.point(best);
        this.reveal(best);
        return;
      }
    }
  }

  point(row) {
    this.cursor = row;
    this.events.pointed(row);
    this.redraw();
  }

  // Drawing: once a frame, as soon as anything changes.

  redraw() {
    if (this.isWaiting || !this.pixels) return;
    this.isWaiting = true;
    requestAnimationFrame(() => {
      this.isWaiting = false;
      this.draw();
    });
  }

  draw() {
    const seen = this.drawPoints();
    this.context.putImageData(this.image, 0, 0);
    if (!this.count) return;
    if (this.showLines) this.drawLines();
    if (seen <= FEW) this.drawPictures();
    if (this.showLines) this.drawMedoids(seen <= FEW ? PICTURE : MEDOID);
    if (this.cursor >= 0) this.drawRing(this.cursor, this.ink, 9);
    if (this.path) this.drawPath();
  }

  drawPoints() {
    const { pixels } = this;
    const { width, height } = this.canvas;
    pixels.fill(packed(this.paper));
    if (!this.count) return 0;
    const { x, y, scale } = this.view;
    // As many pixels as the map has room for, and at least two by two.
    const room = scale / Math.sqrt(this.count);
    const size = Math.round(Math.min(7, Math.max(2, room / 2.5)) * this.ratio);
    const [left, top] = [width / 2 - x * scale - size / 2, height / 2 - y * scale - size / 2];
    const { placesX, placesY, ordered, order, selected, accentPacked } = this;
    const [rightmost, lowest] = [width - size, height - size];
    let seen = 0;
    const corners = [this.toMap([0, 0]), this.toMap([width, height])];
    // Each point a square, line by line: this loop is what a frame costs.
    this.eachRun(...corners, (start, end) => {
      for (let at = start; at < end; at += 1) {
        const px = Math.floor(placesX[at] * scale + left);
        const py = Math.floor(placesY[at] * scale + top);
        if (px < 0 || py < 0 || px > rightmost || py > lowest) continue;
        seen += 1;
        const colour = ordered[at];
        let first = py * width + px;
        if (size === 2) {
          pixels[first] = colour;
          pixels[first + 1] = colour;
          pixels[first + width] = colour;
          pixels[first + width + 1] = colour;
          continue;
        }
        for (let line = 0; line < size; line += 1) {
          for (let pixel = first; pixel < first + size; pixel += 1) pixels[pixel] = colour;
          first += width;
        }
      }
    });
    if (!this.selectedCount) return seen;
    const edge = Math.ceil(1.5 * this.ratio);
    this.eachRun(...corners, (start, end) => {
      for (let at = start; at < end; at += 1) {
        if (!selected[order[at]]) continue;
        const px = Math.floor(placesX[at] * scale + left);
        const py = Math.floor(placesY[at] * scale + top);
        if (px < edge || py < edge || px + size + edge > width || py + size + edge > height) continue;
        for (let y = py - edge; y < py + size + edge; y += 1) {
          const isEdge = y < py || y >= py + size;
          for (let x = px - edge; x < px + size + edge; x += 1) {
            pixels[y * width + x] = isEdge || x < px || x >= px + size ? accentPacked : ordered[at];
          }
        }
      }
    });
    return seen;
  }

  drawLines() {
    const { context } = this;
    context.lineWidth = 1.5 * this.ratio;
    const { x, y, scale } = this.view;
    const [left, top] = [this.canvas.width / 2 - x * scale, this.canvas.height / 2 - y * scale];
    this.groups.forEach(({ lines }, group) => {
      context.strokeStyle = `rgb(${classColour(group).join(" ")} / 0.75)`;
      context.beginPath();
      for (let at = 0; at < lines.length; at += 4) {
        context.moveTo(lines[at] * scale + left, lines[at + 1] * scale + top);
        context.lineTo(lines[at + 2] * scale + left, lines[at + 3] * scale + top);
      }
      context.stroke();
    });
  }

  // One picture in each square of the map that has room for one; which, stays the same while the map moves.
  drawPictures() {
    const side = PICTURE * this.ratio;
    const square = 2 ** Math.ceil(Math.log2(side / this.view.scale));
    const chosen = new Map();
    const corners = [this.toMap([-side, -side]), this.toMap([this.canvas.width + side, this.canvas.height + side])];
    this.eachNear(...corners, (row) => {
      const [x, y] = [this.positions[2 * row], this.positions[2 * row + 1]];
      if (x < corners[0][0] || y < corners[0][1] || x > corners[1][0] || y > corners[1][1]) return;
      const key = Math.floor(x / square) * 1048576 + Math.floor(y / square);
      const other = chosen.get(key);
      if (other === undefined || rank(row) < rank(other)) chosen.set(key, row);
    });
    for (const row of chosen.values()) this.drawPicture(row, side, false);
  }

  drawMedoids(size) {
    const side = size * this.ratio;
    this.groups.forEach(({ medoid }, group) => this.drawPicture(medoid, side, true, group));
  }

  drawPicture(row, side, isMedoid, group = 0) {
    const picture = this.pictures.get(row);
    if (!picture) return;
    const [x, y] = this.place(row);
    const shrink = side / Math.max(picture.width, picture.height);
    const [width, height] = [picture.width * shrink, picture.height * shrink];
    const { context } = this;
    const [left, top] = [Math.round(x - width / 2), Math.round(y - height / 2)];
    context.globalAlpha = this.aside[row] ? 0.4 : 1;
    context.drawImage(picture, left, top, width, height);
    context.globalAlpha = 1;
    let edge = null;
    if (this.selected[row]) edge = this.accent;
    else if (isMedoid) edge = cssColour(group);
    else if (this.colourBy === "group" && this.groupOf) edge = cssColour(this.groupOf[row]);
    else if (this.labels[row] !== NO_CLASS) edge = cssColour(this.labels[row]);
    else if (this.colourBy === "guess" && this.guesses[row] !== NO_CLASS) edge = cssColour(this.guesses[row]);
    if (!edge) return;
    context.strokeStyle = edge;
    context.lineWidth = (this.selected[row] ? 4 : 2.5) * this.ratio;
    context.strokeRect(left, top, width, height);
  }

  drawRing(row, colour, radius) {
    const [x, y] = this.place(row);
    const { context } = this;
    context.strokeStyle = colour;
    context.lineWidth = 2 * this.ratio;
    context.beginPath();
    context.arc(x, y, radius * this.ratio, 0, 2 * Math.PI);
    context.stroke();
  }

  drawPath() {
    const { context } = this;
    context.strokeStyle = this.accent;
    context.lineWidth = 2 * this.ratio;
    context.setLineDash([6 * this.ratio, 4 * this.ratio]);
    context.beginPath();
    this.path.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    context.stroke();
    context.setLineDash([]);
  }

  // The rows inside of a closed line on the canvas.
  inside(path) {
    const rows = [];
    const xs = path.map((point) => point[0]);
    const ys = path.map((point) => point[1]);
    const low = this.toMap([Math.min(...xs), Math.min(...ys)]);
    const high = this.toMap([Math.max(...xs), Math.max(...ys)]);
    this.eachNear(low, high, (row) => {
      const [x, y] = this.place(row);
      let is = false;
      path.forEach(([x0, y0], at) => {
        const [x1, y1] = path[(at + 1) % path.length];
        if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) is = !is;
      });
      if (is) rows.push(row);
    });
    return rows;
  }

  // Pointers and keys.

  at(event) {
    const { left, top } = this.canvas.getBoundingClientRect();
    return [(event.clientX - left) * this.ratio, (event.clientY - top) * this.ratio];
  }

  listen() {
    const { canvas } = this;
    const pointers = new Map();
    let travelled = 0;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, this.at(event));
      travelled = 0;
      if (this.isLasso || event.shiftKey) this.path = [this.at(event)];
    });
    canvas.addEventListener("pointermove", (event) => {
      const now = this.at(event);
      const before = pointers.get(event.pointerId);
      if (!before) {
        this.events.hovered(this.nearest(...now, REACH * this.ratio), event);
        return;
      }
      travelled += Math.hypot(now[0] - before[0], now[1] - before[1]);
      pointers.set(event.pointerId, now);
      if (this.path) {
        this.path.push(now);
        this.redraw();
      } else if (pointers.size === 2) {
        const [other] = [...pointers].find(([id]) => id !== event.pointerId).slice(1);
        const far = (point) => Math.max(1, Math.hypot(point[0] - other[0], point[1] - other[1]));
        this.zoom(far(now) / far(before), other);
      } else if (travelled > 4) {
        canvas.classList.add("dragging");
        this.pan(now[0] - before[0], now[1] - before[1]);
      }
    });
    const ended = (event) => {
      if (!pointers.delete(event.pointerId)) return;
      canvas.classList.remove("dragging");
      const path = this.path;
      this.path = null;
      if (event.type === "pointercancel") {
        this.redraw();
      } else if (path && path.length > 2 && travelled > 8) {
        this.select(this.inside(path), event.ctrlKey || event.metaKey);
        this.events.lassoed();
      } else if (travelled <= 4) {
        const row = this.nearest(...this.at(event), REACH * this.ratio);
        if (row >= 0 && (event.ctrlKey || event.metaKey || event.shiftKey)) this.toggle(row);
        else if (row >= 0) this.events.clicked(row);
        if (row >= 0) this.point(row);
      }
    };
    canvas.addEventListener("pointerup", ended);
    canvas.addEventListener("pointercancel", ended);
    canvas.addEventListener("pointerleave", () => this.events.hovered(-1));
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) / 320), this.at(event));
      },
      { passive: false },
    );
    canvas.addEventListener("keydown", (event) => {
      const direction = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
      if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (event.shiftKey) this.pan(-80 * this.ratio * direction[0], -80 * this.ratio * direction[1]);
      else this.next(...direction);
    });
    canvas.addEventListener("blur", () => this.events.hovered(-1));
  }
}

// An order of the rows that has nothing to do with their places.
function rank(row) {
  let hash = Math.imul(row ^ 0x9e3779b9, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
