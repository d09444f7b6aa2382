// Tiles are the squares of a slice that are fetched and coloured one by one.

import { fail } from "./boss.js";

export const side = 512;

// axes says of a plane which axis runs to the right, which downwards and which
// one has a single place, as BOSS's pictures have it.
export const axes = { xy: [0, 1, 2], xz: [0, 2, 1], yz: [1, 2, 0] };

// fetchTile gives the voxels of a box that is flat on one axis: { width, height,
// data } with a Uint8Array, a Uint16Array or, of uint64, a Uint32Array of low and
// high halves.
export async function fetchTile(path, channel, plane, level, box, signal) {
	const [u, v, n] = axes[plane];
	const width = box[u][1] - box[u][0], height = box[v][1] - box[v][0];
	const picture = channel.type === "image" && channel.datatype === "uint8";
	const ranges = box.map(([lo, hi], i) => picture && i === n ? lo : `${lo}:${hi}`).join("/");
	const answer = picture
		? await fetch(`/v1/image/${path}/${plane}/${level}/${ranges}?access-mode=no-cache`, { signal, headers: { Accept: "image/png" } })
		: await fetch(`/v1/cutout/${path}/${level}/${ranges}/?access-mode=no-cache`, { signal, headers: { Accept: "application/npygz" } });
	if (!answer.ok) return fail(answer);
	const data = picture ? await readPicture(await answer.blob(), width, height) : await readArray(answer.body);
	return { width, height, data };
}

async function readPicture(blob, width, height) {
	const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
	const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
	context.drawImage(bitmap, 0, 0);
	bitmap.close();
	const { data } = context.getImageData(0, 0, width, height);
	return Uint8Array.from({ length: width * height }, (_, i) => data[4 * i]);
}

// readArray reads an npygz body: an array of NumPy's, compressed with zlib.
async function readArray(body) {
	const raw = await new Response(body.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
	const start = 10 + new DataView(raw).getUint16(8, true);
	const header = new TextDecoder().decode(new Uint8Array(raw, 10, start - 10));
	const kind = { "|u1": Uint8Array, "<u2": Uint16Array, "<u8": Uint32Array }[/'descr': '([^']*)'/.exec(header)?.[1]];
	if (!kind) throw new Error("BOSS sent an array that this page cannot read");
	return new kind(raw, start);
}

// value is that of pixel i: a number, or a BigInt of uint64.
export function value(tile, i, datatype) {
	if (datatype !== "uint64") return tile.data[i];
	return BigInt(tile.data[2 * i + 1]) << 32n | BigInt(tile.data[2 * i]);
}

// gray colours a tile from black to white between two values.
export function gray(tile, black, white) {
	const out = new ImageData(tile.width, tile.height), pixels = new Uint32Array(out.data.buffer);
	const scale = 255 / Math.max(1, white - black);
	for (let i = 0; i < pixels.length; i++) {
		const v = Math.max(0, Math.min(255, Math.round((tile.data[i] - black) * scale)));
		pixels[i] = 0xff000000 | v << 16 | v << 8 | v;
	}
	return paint(out);
}

// labels colours each label by its id; 0 is transparent.
export function labels(tile, datatype) {
	const out = new ImageData(tile.width, tile.height), pixels = new Uint32Array(out.data.buffer);
	const wide = datatype === "uint64";
	let lastLow = 0, lastHigh = 0, last = 0;
	for (let i = 0; i < pixels.length; i++) {
		const low = wide ? tile.data[2 * i] : tile.data[i], high = wide ? tile.data[2 * i + 1] : 0;
		if (low !== lastLow || high !== lastHigh) {
			lastLow = low, lastHigh = high;
			const [r, g, b] = colour(low, high);
			last = low || high ? (0xff000000 | b << 16 | g << 8 | r) >>> 0 : 0;
		}
		pixels[i] = last;
	}
	return paint(out);
}

// colour is that of an id's halves: a hue out of a hash, so that close ids differ.
export function colour(low, high) {
	let h = low ^ Math.imul(high, 0x9e3779b1);
	h = Math.imul(h ^ h >>> 16, 0x7feb352d);
	h = Math.imul(h ^ h >>> 15, 0x846ca68b);
	h = (h ^ h >>> 16) >>> 0;
	const hue = h / 2 ** 32 * 6, high1 = h & 1 ? 240 : 205, low1 = h & 2 ? 60 : 25;
	const part = (hue % 1) * (high1 - low1), up = low1 + part, down = high1 - part;
	return [[high1, up, low1], [down, high1, low1], [low1, high1, up], [low1, down, high1], [up, low1, high1], [high1, low1, down]][Math.floor(hue) % 6].map(Math.round);
}

function paint(pixels) {
	const canvas = new OffscreenCanvas(pixels.width, pixels.height);
	canvas.getContext("2d").putImageData(pixels, 0, 0);
	return canvas;
}

export const isZero = (tile) => tile.data.every((v) => v === 0);

// Store fetches tiles and keeps those used last, within a number of bytes.
export class Store {
	#tiles = new Map();
	#bytes = 0;
	#busy = 0;

	constructor(changed, limit = 192 << 20) {
		this.changed = changed;
		this.limit = limit;
	}

	get(key) {
		const tile = this.#tiles.get(key);
		if (tile) {
			this.#tiles.delete(key);
			this.#tiles.set(key, tile);
		}
		return tile;
	}

	// want fetches those of the tiles that are not there, the first ones first, and
	// gives up those under way that nobody wants any more.
	want(list) {
		const keys = new Set(list.map((t) => t.key));
		for (const [key, tile] of this.#tiles) if (tile.abort && !keys.has(key)) tile.abort.abort();
		for (const { key, fetch } of list) {
			if (this.#busy >= 6) break;
			if (!this.#tiles.has(key)) this.#start(key, fetch);
		}
	}

	// retry forgets what failed.
	retry() {
		for (const [key, tile] of this.#tiles) if (tile.error) this.#tiles.delete(key);
		this.changed();
	}

	async #start(key, fetch) {
		const abort = new AbortController();
		this.#busy++;
		this.#tiles.set(key, { abort });
		try {
			const tile = await fetch(abort.signal);
			tile.zero = isZero(tile);
			this.#bytes += this.#size(tile);
			this.#tiles.set(key, tile);
			this.#trim();
		} catch (error) {
			if (abort.signal.aborted) this.#tiles.delete(key);
			else this.#tiles.set(key, { error });
		}
		this.#busy--;
		this.changed();
	}

	#size = (tile) => tile.data ? tile.data.byteLength + 4 * tile.width * tile.height : 0;

	#trim() {
		for (const [key, tile] of this.#tiles) {
			if (this.#bytes <= this.limit) return;
			if (tile.abort) continue;
			this.#bytes -= this.#size(tile);
			this.#tiles.delete(key);
		}
	}
}
