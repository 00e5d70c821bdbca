/** An X server of this test's own, and what can be seen on it without asking the program. */
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PIXEL = 4;

/** A display; its server keeps what it shows in a file, an XWD dump, that is read as it changes. */
export async function display() {
  const folder = mkdtempSync(join(tmpdir(), "slipway-screen-"));
  const shape = ["-screen", "0", "1280x900x24", "-fbdir", folder];
  // A server that begins anew once its last client has left also throws out whoever comes in that moment.
  const server = spawn("Xvfb", ["-displayfd", "3", ...shape, "-nolisten", "tcp", "-noreset"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const number = await new Promise((found, failed) => {
    server.once("error", failed);
    server.once("exit", () => failed(new Error("Xvfb ended")));
    server.stdio[3].once("data", (bytes) => found(bytes.toString().trim()));
  });
  return new Screen(`:${number}`, server, folder);
}

class Screen {
  #server;
  #folder;
  #file;
  #begin;
  #stride;

  constructor(name, server, folder) {
    this.name = name;
    this.#server = server;
    this.#folder = folder;
    this.#file = openSync(join(folder, "Xvfb_screen0"));
    const head = Buffer.alloc(100);
    readSync(this.#file, head, 0, head.length, 0);
    // XWDFile.h: the header's size, then fields of four bytes; a colour map of twelve bytes an entry follows.
    this.#begin = head.readUInt32BE(0) + head.readUInt32BE(19 * 4) * 12;
    this.#stride = head.readUInt32BE(12 * 4);
  }

  /** The pixels of a rectangle, row by row. */
  pixels({ x, y, width, height }) {
    const all = Buffer.alloc(width * height * PIXEL);
    for (let row = 0; row < height; row += 1) {
      const from = this.#begin + (y + row) * this.#stride + x * PIXEL;
      readSync(this.#file, all, row * width * PIXEL, width * PIXEL, from);
    }
    return all;
  }

  /** Where a colour is first seen, from above; nothing where it is not. */
  find(colour) {
    const width = this.#stride / PIXEL;
    for (let y = 0; y < 900; y += 1) {
      const row = this.pixels({ x: 0, y, width, height: 1 });
      for (let x = 0; x < width; x += 1) if ((row.readUInt32LE(x * PIXEL) & 0xffffff) === colour) return { x, y };
    }
    return undefined;
  }

  stop() {
    this.#server.kill();
    closeSync(this.#file);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The colours of a rectangle, pixel by pixel. */
export function colours(pixels) {
  return Array.from({ length: pixels.length / PIXEL }, (_, at) => pixels.readUInt32LE(at * PIXEL) & 0xffffff);
}

/** How many pixels of a rectangle are not as its first. */
export function ink(pixels) {
  let many = 0;
  for (let at = 0; at < pixels.length; at += PIXEL) many += Number(pixels.readUInt32LE(at) !== pixels.readUInt32LE(0));
  return many;
}
