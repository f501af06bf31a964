// Thumbnails for the map: fetched as they come into sight, the last ones first, and no more than a bounded number of them.

import { thumbnail } from "./server.js";

const MOST = 1500;
const WAITING = 240;
const AT_ONCE = 6;

export class Pictures {
  constructor(loaded) {
    this.loaded = loaded;
    this.kept = new Map();
    this.waiting = [];
    this.fetching = new Set();
  }

  // The picture of a row; undefined while it isn't there, null if there is none.
  get(row) {
    const picture = this.kept.get(row);
    if (picture !== undefined) {
      // The last one of the map is the one that was asked for last.
      this.kept.delete(row);
      this.kept.set(row, picture);
      return picture;
    }
    if (!this.fetching.has(row) && !this.waiting.includes(row)) {
      this.waiting.push(row);
      if (this.waiting.length > WAITING) this.waiting.shift();
    }
    this.fetch();
    return undefined;
  }

  fetch() {
    while (this.fetching.size < AT_ONCE && this.waiting.length) {
      const row = this.waiting.pop();
      this.fetching.add(row);
      this.load(row).then((picture) => {
        this.fetching.delete(row);
        this.kept.set(row, picture);
        if (this.kept.size > MOST) {
          const [oldest, dropped] = this.kept.entries().next().value;
          this.kept.delete(oldest);
          dropped?.close();
        }
        this.loaded();
        this.fetch();
      });
    }
  }

  async load(row) {
    try {
      const response = await fetch(thumbnail(row));
      return response.ok ? await createImageBitmap(await response.blob()) : null;
    } catch {
      return null;
    }
  }
}
