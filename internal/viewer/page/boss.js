// What the pages ask BOSS, and how they say it.

const headers = { Accept: "application/json" };

// get is the JSON at a path of BOSS's. What BOSS says against it is the error.
export async function get(...names) {
	const path = "/v1/" + names.map(encodeURIComponent).join("/");
	let answer;
	try {
		answer = await fetch(path, { headers });
	} catch {
		throw new Error("The server does not answer. Is it still running?");
	}
	return answer.ok ? answer.json() : fail(answer);
}

// fail is the error of an answer that is none.
export async function fail(answer) {
	const text = await answer.text();
	let said;
	try {
		const { message, detail } = JSON.parse(text);
		said = message || detail;
	} catch { /* a page of HTML */ }
	throw new Error(`BOSS answers ${answer.status}${said ? ": " + said : ""}`);
}

// experiment is what a page has to know of one: its frame and channels too.
export async function experiment(collection, name) {
	const info = await get("collection", collection, "experiment", name);
	const frame = await get("coord", info.coord_frame);
	const channels = await Promise.all(info.channels.map(async (ch) => {
		const channel = await get("collection", collection, "experiment", name, "channel", ch);
		return { ...channel, levels: await levels(collection, name, channel, frame) };
	}));
	return {
		...info, channels,
		start: ["x", "y", "z"].map((a) => frame[a + "_start"]),
		stop: ["x", "y", "z"].map((a) => frame[a + "_stop"]),
		voxel: ["x", "y", "z"].map((a) => frame[a + "_voxel_size"]),
		unit: { nanometers: "nm", micrometers: "µm", millimeters: "mm", centimeters: "cm" }[frame.voxel_unit],
	};
}

// levels are the resolutions that can be read, each with how many voxels of the
// frame one of its is long on each axis. Without DOWNSAMPLED there is one. BOSS
// judges every level's place by the frame of the first, so that where a frame
// does not begin at 0 the others cannot be read as a whole.
async function levels(collection, exp, channel, frame) {
	const first = { level: channel.base_resolution, factor: [1, 1, 1] };
	if (channel.downsample_status !== "DOWNSAMPLED" || frame.x_start || frame.y_start || frame.z_start) return [first];
	const { voxel_size } = await get("downsample", collection, exp, channel.name);
	return Object.keys(voxel_size).map(Number).filter((n) => n >= first.level && n <= 9).sort((a, b) => a - b)
		.map((n) => ({ level: n, factor: voxel_size[n].map((v, i) => Math.round(v / voxel_size[first.level][i])) }));
}

// holds reports whether BOSS can hold data in a channel.
export const holds = (ch) => ch.datatype !== "uint32" && !(ch.type === "image" && ch.datatype === "uint64");

// el makes an element.
export function el(tag, attributes = {}, ...children) {
	const e = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
	e.append(...children);
	return e;
}

export const count = (n) => n.toLocaleString("en-US").replaceAll(",", "\u202f");

export const size = (exp) => exp.stop.map((v, i) => count(v - exp.start[i])).join(" × ");

export function bytes(n) {
	for (const unit of ["bytes", "KiB", "MiB", "GiB", "TiB"]) {
		if (n < 1024) return `${unit === "bytes" ? n : n.toPrecision(3)} ${unit}`;
		n /= 1024;
	}
	return `${n.toPrecision(3)} PiB`;
}

// source is how Neuroglancer calls a channel, and its page with that channel.
// It insists on https.
export function neuroglancer(collection, exp, ch) {
	if (location.protocol !== "https:") return null;
	const source = `boss://${location.origin}/${collection}/${exp}/${ch.name}`;
	const state = { layers: [{ type: ch.type === "annotation" ? "segmentation" : "image", name: ch.name, source }] };
	return { source, href: "https://neuroglancer-demo.appspot.com/#!" + encodeURIComponent(JSON.stringify(state)) };
}
