import { count, el, experiment, holds, neuroglancer, size } from "./boss.js";
import { Store, axes, colour, fetchTile, gray, labels, side, value } from "./tiles.js";

const $ = (id) => document.getElementById(id);
const canvas = $("canvas"), context = canvas.getContext("2d");
const [collection, expName, channelName] = location.pathname.split("/").slice(2).map(decodeURIComponent);

// view is what is seen: the address keeps it, so that it can be shared. at is the
// middle in voxels of the frame; zoom is how many pixels of the page the shortest
// side of a voxel takes.
const view = { plane: "xy", at: [0, 0, 0], zoom: 0, black: null, white: null, image: "", labels: "", opacity: 0.5 };
let exp, unit, store;
let pointer = null; // where it is over the canvas
const shown = new Map(); // the tile last drawn at a place, for while the next one is fetched

const clamp = (v, lo, hi) => Math.max(lo, Math.min(hi, v));
const find = (name) => exp.channels.find((ch) => ch.name === name);
const perVoxel = (axis) => view.zoom * exp.voxel[axis] / unit;
const most = (ch) => ch.datatype === "uint8" ? 255 : 65535;

// The address.

function readHash() {
	const q = new URLSearchParams(location.hash.slice(1));
	if (q.get("plane") in axes) view.plane = q.get("plane");
	const at = q.get("at")?.split(",").map(Number);
	if (at?.length === 3 && at.every(Number.isFinite)) view.at = at.map((v, i) => clamp(v, exp.start[i], exp.stop[i] - 0.001));
	if (Number(q.get("zoom")) > 0) view.zoom = clamp(Number(q.get("zoom")), 1e-4, 64);
	const window = q.get("window")?.split("-").map(Number);
	if (window?.length === 2 && window.every(Number.isFinite)) [view.black, view.white] = window;
	for (const layer of ["image", "labels"]) {
		if (q.has(layer)) view[layer] = find(q.get(layer)) ? q.get(layer) : "";
	}
	if (q.has("opacity")) view.opacity = clamp(Number(q.get("opacity")) || 0, 0, 1);
}

let hashTimer;
function writeHash() {
	clearTimeout(hashTimer);
	hashTimer = setTimeout(() => {
		const n = axes[view.plane][2];
		const at = view.at.map((v, i) => i === n ? Math.floor(v) : +v.toFixed(1)).join(",");
		const q = [`plane=${view.plane}`, `at=${at}`, `zoom=${+view.zoom.toPrecision(4)}`];
		if (view.image && view.black !== null) q.push(`window=${view.black}-${view.white}`);
		q.push(`image=${view.image}`, `labels=${view.labels}`);
		if (view.labels) q.push(`opacity=${view.opacity}`);
		history.replaceState(null, "", "#" + q.join("&"));
	}, 150);
}

// Drawing.

let asked = false;
function redraw() {
	if (asked) return;
	asked = true;
	requestAnimationFrame(() => { asked = false; draw(); });
}

// levelFor is the resolution whose voxels are nearest to a pixel of the screen,
// and not larger.
function levelFor(ch) {
	const [u, v] = axes[view.plane];
	const fits = ch.levels.filter(({ factor }) => Math.min(perVoxel(u) * factor[u], perVoxel(v) * factor[v]) * devicePixelRatio <= 1.001);
	return fits.at(-1) ?? ch.levels[0];
}

// tiles are those of a channel that are in view, the nearest to the middle first.
function tiles(ch) {
	const [u, v, n] = axes[view.plane];
	const { level, factor } = levelFor(ch);
	const bounds = [0, 1, 2].map((i) => factor.every((f) => f === 1) ? [exp.start[i], exp.stop[i]] : [0, Math.ceil(exp.stop[i] / factor[i])]);
	const seen = [[u, canvas.clientWidth], [v, canvas.clientHeight]].map(([a, length]) => {
		const half = length / 2 / perVoxel(a);
		const lo = Math.max(bounds[a][0], (view.at[a] - half) / factor[a]), hi = Math.min(bounds[a][1], (view.at[a] + half) / factor[a]);
		return [Math.floor(lo / side), Math.ceil(hi / side)];
	});
	const flat = Math.floor(view.at[n] / factor[n]);
	const path = [collection, expName, ch.name].map(encodeURIComponent).join("/");
	const list = [];
	if ((seen[0][1] - seen[0][0]) * (seen[1][1] - seen[1][0]) > 64) return null;
	for (let j = seen[1][0]; j < seen[1][1]; j++) {
		for (let i = seen[0][0]; i < seen[0][1]; i++) {
			const box = [];
			box[u] = [Math.max(bounds[u][0], i * side), Math.min(bounds[u][1], (i + 1) * side)];
			box[v] = [Math.max(bounds[v][0], j * side), Math.min(bounds[v][1], (j + 1) * side)];
			box[n] = [flat, flat + 1];
			const place = [ch.name, view.plane, level, i, j].join("/");
			list.push({
				ch, box, factor, place, key: `${place}/${flat}`,
				fetch: (signal) => fetchTile(path, ch, view.plane, level, box, signal),
				far: Math.hypot((i + 0.5) * side * factor[u] - view.at[u], ((j + 0.5) * side * factor[v] - view.at[v]) * exp.voxel[v] / exp.voxel[u]),
			});
		}
	}
	return list.sort((a, b) => a.far - b.far);
}

// screen is where a place in voxels of the frame is on the canvas.
const screen = (axis, length, at) => (at - view.at[axis]) * perVoxel(axis) + length / 2;

function draw() {
	const ratio = devicePixelRatio, width = canvas.clientWidth, height = canvas.clientHeight;
	if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
		canvas.width = Math.round(width * ratio);
		canvas.height = Math.round(height * ratio);
	}
	context.clearRect(0, 0, canvas.width, canvas.height);
	const layers = [find(view.image), find(view.labels)].filter((ch) => ch && holds(ch));
	const lists = layers.map(tiles);
	const all = lists.flatMap((list) => list ?? []);
	if (view.black === null && view.image) chooseWindow(lists[0]);
	store.want([...all, ...ahead(lists, layers)]);
	for (const [k, list] of lists.entries()) for (const t of list ?? []) drawTile(t, k > 0 ? view.opacity : 1, layers[k], ratio);
	frame(ratio);
	say(layers, lists, all);
	tell();
	scaleBar();
	writeHash();
}

function drawTile(t, opacity, ch, ratio) {
	const now = store.get(t.key);
	if (now?.data) shown.set(t.place, now);
	const tile = now?.data ? now : shown.get(t.place);
	if (!tile?.data || tile.zero && ch.name === view.labels) return;
	const [u, v] = axes[view.plane];
	// Edges on whole pixels leave no seams between neighbours.
	const edge = (a, length, at) => Math.round(screen(a, length, at * t.factor[a]) * ratio);
	const x0 = edge(u, canvas.clientWidth, t.box[u][0]), x1 = edge(u, canvas.clientWidth, t.box[u][1]);
	const y0 = edge(v, canvas.clientHeight, t.box[v][0]), y1 = edge(v, canvas.clientHeight, t.box[v][1]);
	context.globalAlpha = opacity;
	context.imageSmoothingEnabled = ch.name !== view.labels && (x1 - x0 < tile.width || y1 - y0 < tile.height);
	context.imageSmoothingQuality = "medium";
	context.drawImage(coloured(tile, ch), x0, y0, x1 - x0, y1 - y0);
	context.globalAlpha = 1;
}

function coloured(tile, ch) {
	const how = ch.name === view.labels ? "labels" : `${view.black}-${view.white}`;
	if (tile.how !== how) {
		tile.how = how;
		tile.canvas = how === "labels" ? labels(tile, ch.datatype) : gray(tile, view.black, view.white);
	}
	return tile.canvas;
}

// ahead are tiles of the next slices, once all in view is there.
function ahead(lists, layers) {
	const n = axes[view.plane][2];
	if (lists.some((list) => !list || list.some((t) => !store.get(t.key) || store.get(t.key).abort))) return [];
	const at = view.at[n], next = [];
	for (const step of [1, -1]) {
		const to = at + step * Math.max(...layers.map((ch) => levelFor(ch).factor[n]));
		if (to < exp.start[n] || to >= exp.stop[n]) continue;
		view.at[n] = to;
		next.push(...layers.flatMap((ch) => tiles(ch).slice(0, 6)));
		view.at[n] = at;
	}
	return next;
}

// frame draws the edge of what there can be.
function frame(ratio) {
	const [u, v] = axes[view.plane], w = canvas.clientWidth, h = canvas.clientHeight;
	const x0 = screen(u, w, exp.start[u]) * ratio, y0 = screen(v, h, exp.start[v]) * ratio;
	context.strokeStyle = "#7f8c8999";
	context.lineWidth = 1;
	context.strokeRect(Math.round(x0) - 0.5, Math.round(y0) - 0.5, Math.round(screen(u, w, exp.stop[u]) * ratio - x0) + 1, Math.round(screen(v, h, exp.stop[v]) * ratio - y0) + 1);
}

// chooseWindow chooses the contrast: all of uint8, what is in view of uint16.
function chooseWindow(list) {
	const ch = find(view.image);
	if (ch.datatype === "uint8") [view.black, view.white] = [0, 255];
	else if (!auto(list)) return;
	showControls();
}

// auto leaves a hundredth of the voxels that are not 0 darker than black, and as
// many brighter than white. It reports whether there are any.
function auto(list) {
	const top = most(find(view.image)), counts = new Uint32Array(top + 1);
	let total = 0;
	for (const t of list ?? []) {
		const data = store.get(t.key)?.data;
		for (let i = 0; data && i < data.length; i += 3) if (data[i]) counts[data[i]]++, total++;
	}
	if (!total || list.some((t) => store.get(t.key)?.abort)) return false;
	let black = 0, white = top, sum = 0;
	while (black < top && (sum += counts[black]) < total / 200) black++;
	sum = 0;
	while (white > black + 1 && (sum += counts[white]) < total / 200) white--;
	[view.black, view.white] = [Math.min(black, white - 1), white];
	return true;
}

// Words.

function say(layers, lists, all) {
	const got = all.map((t) => store.get(t.key));
	const failed = got.find((tile) => tile?.error);
	const waiting = got.some((tile) => !tile || tile.abort);
	const own = find(channelName);
	let text = "";
	if (!holds(own)) text = `BOSS can hold no data in a channel of this kind: ${own.type}, ${own.datatype}.`;
	else if (failed) text = failed.error.message;
	else if (!layers.length) text = "Choose an image or labels to look at.";
	else if (lists.some((list) => !list)) text = "Zoom in to see the voxels: from afar this needs lower resolutions, and the channel is " + own.downsample_status.toLowerCase().replaceAll("_", " ") + ".";
	else if (!all.length) text = "This is outside of the experiment. Press 0 to see all of it.";
	else if (!waiting && got.every((tile) => tile.zero)) text = "Nothing is written here: all voxels in view are 0.";
	const message = $("message");
	message.classList.toggle("error", !!failed);
	message.hidden = !text;
	if (message.dataset.text !== text) {
		message.dataset.text = text;
		message.replaceChildren(text);
		if (failed) {
			const again = el("button", { type: "button" }, "Try again");
			again.addEventListener("click", () => store.retry());
			message.append(" ", again);
		}
	}
	document.body.dataset.state = waiting ? "loading" : "done";
}

// tell says where the pointer is and what is there.
function tell() {
	const readout = $("readout"), [u, v, n] = axes[view.plane];
	const p = [];
	p[n] = Math.floor(view.at[n]);
	if (pointer) {
		p[u] = Math.floor((pointer.x - canvas.clientWidth / 2) / perVoxel(u) + view.at[u]);
		p[v] = Math.floor((pointer.y - canvas.clientHeight / 2) / perVoxel(v) + view.at[v]);
	}
	const inside = pointer && p.every((at, i) => at >= exp.start[i] && at < exp.stop[i]);
	readout.hidden = !inside;
	if (!inside) return;
	const parts = [el("span", {}, `${p[0]}, ${p[1]}, ${p[2]}`)];
	for (const ch of [find(view.image), find(view.labels)]) {
		const found = ch && holds(ch) && valueAt(ch, p);
		if (found === undefined || found === false || found === null) continue;
		const span = el("span", {});
		if (ch.name === view.labels) {
			const swatch = el("i", {});
			if (found) swatch.style.background = `rgb(${colour(Number(BigInt(found) & 0xffffffffn) >>> 0, Number(BigInt(found) >> 32n))})`;
			span.append(found ? swatch : "", found ? `label ${found}` : "no label");
		} else span.append(`value ${found}`);
		parts.push(span);
	}
	readout.replaceChildren(...parts);
}

function valueAt(ch, p) {
	const [u, v] = axes[view.plane];
	for (const t of tiles(ch) ?? []) {
		const x = Math.floor(p[u] / t.factor[u]) - t.box[u][0], y = Math.floor(p[v] / t.factor[v]) - t.box[v][0];
		const tile = store.get(t.key);
		if (tile?.data && x >= 0 && y >= 0 && x < tile.width && y < tile.height) return value(tile, y * tile.width + x, ch.datatype);
	}
	return null;
}

function scaleBar() {
	const u = axes[view.plane][0], perUnit = perVoxel(u) / exp.voxel[u];
	const step = 10 ** Math.floor(Math.log10(110 / perUnit));
	const length = [5, 2, 1].map((n) => n * step).find((n) => n * perUnit <= 110) ?? step;
	const names = ["nm", "µm", "mm", "m"];
	let i = names.indexOf(exp.unit), n = length;
	if (exp.unit === "cm") i = 2, n *= 10;
	while (n >= 1000 && i < 3) n /= 1000, i++;
	while (n < 1 && i > 0) n *= 1000, i--;
	const bar = $("scale");
	bar.hidden = false;
	bar.firstElementChild.style.width = `${length * perUnit}px`;
	bar.lastElementChild.textContent = `${+n.toPrecision(3)} ${names[i]}`;
}

// Controls.

function showControls() {
	const n = axes[view.plane][2];
	document.querySelector(`#planes [value=${view.plane}]`).checked = true;
	$("axis").textContent = "xyz"[n];
	for (const id of ["slice", "number"]) {
		$(id).min = exp.start[n];
		$(id).max = exp.stop[n] - 1;
		$(id).value = Math.floor(view.at[n]);
	}
	const image = find(view.image);
	$("contrast").hidden = !image || !holds(image);
	if (image && view.black !== null) {
		for (const id of ["black", "white"]) {
			$(id).min = 0;
			$(id).max = most(image);
			$(id).value = $(id + "Out").textContent = view[id];
		}
	}
	$("image").value = view.image;
	$("labels").value = view.labels;
	$("opacityRow").hidden = !view.labels || !view.image;
	$("opacity").value = Math.round(100 * view.opacity);
	$("opacityOut").textContent = `${Math.round(100 * view.opacity)} %`;
}

function set(change) {
	Object.assign(view, change);
	showControls();
	redraw();
}

function goTo(slice) {
	const n = axes[view.plane][2], at = [...view.at];
	at[n] = clamp(Math.round(slice), exp.start[n], exp.stop[n] - 1);
	set({ at });
}

const move = (steps) => goTo(Math.floor(view.at[axes[view.plane][2]]) + steps);

function setPlane(plane) {
	set({ plane, at: view.at.map((v) => Math.floor(v) + 0.5) });
	fitZoomOut();
}

// fit shows all of a slice.
function fit() {
	const [u, v] = axes[view.plane], at = [...view.at];
	for (const a of [u, v]) at[a] = (exp.start[a] + exp.stop[a]) / 2;
	set({ at, zoom: fitZoom() });
}

function fitZoom() {
	const [u, v] = axes[view.plane];
	const along = (a, length) => length / ((exp.stop[a] - exp.start[a]) * exp.voxel[a] / unit);
	return 0.94 * Math.min(along(u, canvas.clientWidth), along(v, canvas.clientHeight));
}

// fitZoomOut keeps the slice in view when another plane is shorter.
function fitZoomOut() {
	if (view.zoom < fitZoom()) fit();
}

// zoomAt zooms by a factor around a place of the canvas.
function zoomAt(factor, x, y) {
	const zoom = clamp(view.zoom * factor, Math.min(fitZoom() / 4, 1), 64), at = [...view.at];
	const [u, v] = axes[view.plane];
	for (const [a, p, length] of [[u, x, canvas.clientWidth], [v, y, canvas.clientHeight]]) {
		at[a] += (p - length / 2) / perVoxel(a) * (1 - view.zoom / zoom);
	}
	set({ at: kept(at), zoom });
}

const kept = (at) => at.map((v, i) => clamp(v, exp.start[i], exp.stop[i] - 0.001));

function listen() {
	$("panel").addEventListener("submit", (e) => e.preventDefault());
	$("planes").addEventListener("change", (e) => setPlane(e.target.value));
	$("slice").addEventListener("input", (e) => goTo(e.target.valueAsNumber));
	$("number").addEventListener("change", (e) => Number.isFinite(e.target.valueAsNumber) ? goTo(e.target.valueAsNumber) : showControls());
	$("black").addEventListener("input", (e) => set({ black: Math.min(e.target.valueAsNumber, most(find(view.image)) - 1), white: Math.max(view.white, e.target.valueAsNumber + 1) }));
	$("white").addEventListener("input", (e) => set({ white: Math.max(e.target.valueAsNumber, 1), black: Math.min(view.black, Math.max(0, e.target.valueAsNumber - 1)) }));
	const choose = () => { if (view.image && auto(tiles(find(view.image)))) set({}); };
	$("auto").addEventListener("click", choose);
	$("full").addEventListener("click", () => set({ black: 0, white: most(find(view.image)) }));
	$("image").addEventListener("change", (e) => set({ image: e.target.value, black: null }));
	$("labels").addEventListener("change", (e) => set({ labels: e.target.value }));
	$("opacity").addEventListener("input", (e) => set({ opacity: e.target.valueAsNumber / 100 }));
	$("fit").addEventListener("click", fit);

	const keys = {
		ArrowUp: () => move(1), ArrowDown: () => move(-1), ".": () => move(1), ",": () => move(-1),
		PageUp: () => move(10), PageDown: () => move(-10), ArrowLeft: () => pan(60), ArrowRight: () => pan(-60),
		"+": () => zoomMiddle(1.25), "=": () => zoomMiddle(1.25), "-": () => zoomMiddle(0.8), 0: fit, a: choose,
		1: () => setPlane("xy"), 2: () => setPlane("xz"), 3: () => setPlane("yz"),
	};
	const zoomMiddle = (f) => zoomAt(f, canvas.clientWidth / 2, canvas.clientHeight / 2);
	addEventListener("keydown", (e) => {
		if (e.ctrlKey || e.metaKey || e.altKey || e.target.matches("input, select, summary") || !(e.key in keys)) return;
		e.preventDefault();
		keys[e.key]();
	});
	canvas.addEventListener("wheel", (e) => {
		e.preventDefault();
		if (e.shiftKey) return move(Math.sign(e.deltaY || e.deltaX));
		zoomAt(Math.exp(-clamp(e.deltaY * (e.deltaMode ? 30 : 1), -200, 200) * 0.002), e.offsetX, e.offsetY);
	}, { passive: false });
	drag();
	addEventListener("hashchange", () => { readHash(); set({}); });
	new ResizeObserver(redraw).observe(canvas);
}

function pan(dx, dy = 0) {
	const [u, v] = axes[view.plane], at = [...view.at];
	at[u] -= dx / perVoxel(u);
	at[v] -= dy / perVoxel(v);
	set({ at: kept(at) });
}

// drag moves with one pointer and zooms with two.
function drag() {
	const down = new Map();
	canvas.addEventListener("pointerdown", (e) => {
		canvas.setPointerCapture(e.pointerId);
		down.set(e.pointerId, e);
		canvas.classList.add("drag");
	});
	canvas.addEventListener("pointermove", (e) => {
		pointer = { x: e.offsetX, y: e.offsetY };
		const before = down.get(e.pointerId);
		if (!before) return tell();
		const [other] = [...down.values()].filter((d) => d.pointerId !== e.pointerId);
		down.set(e.pointerId, e);
		if (!other) return pan(e.offsetX - before.offsetX, e.offsetY - before.offsetY);
		const apart = (p) => Math.hypot(p.offsetX - other.offsetX, p.offsetY - other.offsetY);
		zoomAt(apart(e) / Math.max(1, apart(before)), (e.offsetX + other.offsetX) / 2, (e.offsetY + other.offsetY) / 2);
	});
	for (const end of ["pointerup", "pointercancel"]) {
		canvas.addEventListener(end, (e) => {
			down.delete(e.pointerId);
			canvas.classList.toggle("drag", down.size > 0);
		});
	}
	canvas.addEventListener("pointerleave", () => { pointer = null; tell(); });
}

function fill(select, kind) {
	select.append(el("option", { value: "" }, "none"), ...exp.channels.filter((ch) => ch.type === kind && holds(ch)).map((ch) => el("option", { value: ch.name }, ch.name)));
}

async function start() {
	document.title = `${channelName} · ${collection}/${expName}`;
	$("crumbs").replaceChildren(el("span", {}, `${collection} / ${expName} / `), el("b", {}, channelName));
	exp = await experiment(collection, expName);
	const own = find(channelName);
	if (!own) throw new Error(`There is no channel ${channelName} in ${collection}/${expName}.`);
	unit = Math.min(...exp.voxel.filter((v) => v > 0)) || 1;
	$("facts").textContent = `${size(exp)} · ${exp.voxel.map((v) => +v.toPrecision(4)).join(" × ")} ${exp.unit} · ${own.datatype}`;
	fill($("image"), "image");
	fill($("labels"), "annotation");
	view[own.type === "image" ? "image" : "labels"] = channelName;
	if (own.type !== "image") view.image = own.sources.find((name) => find(name)?.type === "image") ?? "";
	view.at = exp.start.map((v, i) => Math.floor((v + exp.stop[i]) / 2) + 0.5);
	const ng = neuroglancer(collection, expName, own);
	if (ng) $("outside").append(el("a", { href: ng.href }, "Open in Neuroglancer ↗"), el("br"), el("code", {}, ng.source));
	if (matchMedia("(max-width: 640px)").matches) $("more").open = false;
	store = new Store(redraw);
	listen();
	readHash();
	if (!view.zoom) fit();
	set({});
}

try {
	await start();
} catch (err) {
	$("panel").hidden = true;
	const message = $("message");
	message.hidden = false;
	message.classList.add("error");
	message.replaceChildren(err.message);
	document.body.dataset.state = "done";
}
