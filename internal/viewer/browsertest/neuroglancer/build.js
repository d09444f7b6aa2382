// Bundles Neuroglancer with the sources that BOSS needs. Its icons come from a
// repository, not from the registry, and are left out.
import { build } from "esbuild";
import { readFile } from "node:fs/promises";

const lib = "node_modules/neuroglancer/lib/";
const assets = {
	name: "assets",
	setup(b) {
		b.onResolve({ filter: /^ikonate\// }, ({ path }) => ({ path, namespace: "icon" }));
		b.onLoad({ filter: /.*/, namespace: "icon" }, () => ({ contents: 'export default "<svg/>"' }));
		b.onResolve({ filter: /\?raw$/ }, async ({ path, kind, resolveDir }) => ({ ...await b.resolve(path.slice(0, -4), { kind, resolveDir }), namespace: "raw" }));
		b.onLoad({ filter: /.*/, namespace: "raw" }, async ({ path }) => ({ contents: await readFile(path), loader: "text" }));
	},
};
await build({
	entryPoints: { main: lib + "main.bundle.js", "chunk_worker.bundle": lib + "chunk_worker.bundle.js", "async_computation.bundle": lib + "async_computation.bundle.js" },
	outdir: process.argv[2], bundle: true, format: "esm", target: "es2022", logLevel: "error", plugins: [assets],
	conditions: ["neuroglancer/datasource:none_by_default", "neuroglancer/datasource/boss:enabled", "neuroglancer/kvstore:none_by_default", "neuroglancer/kvstore/https:enabled"],
	loader: { ".html": "file", ".wasm": "file", ".dat": "file" },
});
