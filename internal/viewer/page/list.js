import { bytes, count, el, experiment, get, holds, neuroglancer, size } from "./boss.js";

const main = document.getElementById("main");
document.getElementById("origin").textContent = location.host;

const itemBytes = (ch) => Number(ch.datatype.slice(4)) / 8;

function card(collection, exp, ch) {
	const href = "/view/" + [collection, exp.name, ch.name].map(encodeURIComponent).join("/");
	const voxels = exp.stop.reduce((n, stop, i) => n * (stop - exp.start[i]), 1);
	const status = ch.downsample_status.toLowerCase().replaceAll("_", " ");
	const about = el("div", { class: "about" },
		el("h3", {}, el("a", { href }, ch.name)),
		el("p", {}, `${ch.type} · ${ch.datatype} · up to ${bytes(voxels * itemBytes(ch))}`),
		el("p", {}, ch.levels.length > 1 ? `${ch.levels.length} resolutions` : status));
	const ng = neuroglancer(collection, exp.name, ch);
	if (ng) about.append(el("a", { class: "more", href: ng.href, title: ng.source }, "Neuroglancer ↗"));
	return el("li", { class: "channel" }, thumb(collection, exp, ch), about);
}

// thumb is the middle slice: all of it at a resolution where that is small, or
// else its middle.
function thumb(collection, exp, ch) {
	const box = el("div", { class: "thumb" });
	if (!holds(ch)) {
		box.append(`BOSS holds no ${ch.type} of ${ch.datatype}`);
		return box;
	}
	const fits = ({ factor }) => [0, 1].every((i) => exp.stop[i] / factor[i] <= 1200);
	const { level, factor } = ch.levels.find(fits) ?? ch.levels.at(-1);
	const range = [0, 1].map((i) => {
		const lo = level === ch.base_resolution ? exp.start[i] : 0, hi = Math.ceil(exp.stop[i] / factor[i]);
		const cut = Math.max(0, Math.floor((hi - lo - 1200) / 2));
		return `${lo + cut}:${hi - cut}`;
	});
	const z = Math.floor((exp.start[2] + exp.stop[2]) / 2 / factor[2]);
	const path = ["v1", "image", collection, exp.name, ch.name, "xy", level].map(encodeURIComponent).join("/");
	const img = el("img", { src: `/${path}/${range.join("/")}/${z}`, alt: `Slice ${z} of ${ch.name}`, loading: "lazy" });
	img.addEventListener("error", () => box.replaceChildren("no picture of it"));
	box.append(img);
	return box;
}

function section(collection, exp) {
	const voxel = exp.voxel.map((v) => +v.toPrecision(4)).join(" × ");
	const where = exp.start.some((v) => v) ? `, from ${exp.start.map(count).join(", ")}` : "";
	return el("section", { class: "experiment" },
		el("h2", {}, el("span", {}, collection + " / "), exp.name),
		el("p", { class: "quiet" }, `${size(exp)} voxels${where}, of ${voxel} ${exp.unit}`),
		exp.channels.length
			? el("ul", { class: "channels" }, ...exp.channels.map((ch) => card(collection, exp, ch)))
			: el("p", { class: "quiet" }, "No channels yet."));
}

function nothing() {
	return el("section", { class: "empty" },
		el("h2", {}, "Nothing here yet"),
		el("p", {}, "Push a stack of images, and come back to look at it:"),
		el("pre", {}, el("code", {}, [
			"ndpush ingest --create-resources \\",
			"    --base-path stack --base-filename 'em_<p:4>' --extension tif --datatype uint8 \\",
			"    --collection lab --experiment fly --channel em --voxel-size 4:4:40 \\",
			"    --x-extent 0:1100 --y-extent 0:1060 --z-extent 0:20 \\",
			"    --boss-config-file localboss.cfg",
		].join("\n"))),
		el("p", { class: "hint" }, "With your own paths, names and extents, and the access file that this server wrote. The command creates what is missing; without --create-resources and --voxel-size it then posts the images."));
}

async function show() {
	const sections = [];
	for (const collection of (await get("collection", "")).collections) {
		const { experiments } = await get("collection", collection);
		for (const name of experiments) sections.push(section(collection, await experiment(collection, name)));
	}
	main.replaceChildren(...(sections.length ? sections : [nothing()]));
	if (sections.length && location.protocol === "https:") {
		main.append(el("p", { class: "hint" }, "Neuroglancer asks this server from your browser, which has to trust its certificate. That you see this page says that it does."));
	}
}

try {
	await show();
} catch (err) {
	main.replaceChildren(el("section", { class: "empty" }, el("h2", {}, "This did not work"), el("p", {}, err.message)));
}
document.body.dataset.state = "done";
