// Draws what /api/runtime says, twice a second while somebody looks.
"use strict";

const byId = id => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

// One drawing: shapes are collected and replace the former ones at once.
function drawing(id, width, height) {
	const svg = byId(id), parts = [];
	svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
	const add = (tag, attrs, text) => {
		const e = document.createElementNS(SVG, tag);
		for (const k in attrs)
			e.setAttribute(k, attrs[k]);
		if (text !== undefined)
			e.textContent = text;
		parts.push(e);
		return e;
	};
	return {
		svg, add,
		rect: (x, y, w, h, color, more) =>
			add("rect", { x, y, width: Math.max(w, 0), height: Math.max(h, 0), rx: 2, style: `fill:var(--${color})`, ...more }),
		box: (x, y, w, h, more) => add("rect", { x, y, width: w, height: h, rx: 6, class: "box", ...more }),
		text: (x, y, s, cls) => add("text", { x, y, class: cls || "" }, s),
		hint: (e, s) => e.appendChild(document.createElementNS(SVG, "title")).textContent = s,
		arrow: (x1, y1, x2, y2) => add("path", { d: `M${x1} ${y1} L${x2} ${y2}`, class: "arrow" }),
		show: () => svg.replaceChildren(...parts),
	};
}

const number = n => n.toLocaleString("en");
function bytes(n) {
	for (const unit of ["B", "KiB", "MiB"]) {
		if (n < 1024 || unit === "MiB" && n < 10240 * 1024)
			return `${n < 10 && unit !== "B" ? n.toFixed(1) : Math.round(n)} ${unit}`;
		n /= 1024;
	}
	return `${n.toFixed(1)} GiB`;
}
const micros = ns => ns < 1e6 ? `${Math.round(ns / 1e3)} \u00b5s` : `${(ns / 1e6).toFixed(1)} ms`;
const className = c => (c.size === 0 ? "large" : c.size >= 1024 ? `${+(c.size / 1024).toFixed(1)}K` : `${c.size}`);
const sameClass = (a, b) => a.size === b.size && a.noscan === b.noscan;

// ---- scheduler --------------------------------------------------------------------

function drawProcs(r) {
	const each = 64, top = 26, height = top + r.procs.length * each;
	const d = drawing("procs", 820, Math.max(height, 150));
	d.text(10, 16, "core", "dim");
	d.text(76, 16, "P", "dim");
	d.text(150, 16, "runs", "dim");
	d.text(266, 16, "runnext", "dim");
	d.text(356, 16, "run queue", "dim");
	r.procs.forEach((p, i) => {
		const y = top + i * each;
		d.box(4, y, 46, 50);
		d.text(27, y + 31, `${p.id}`, "mid");
		d.add("path", { d: `M50 ${y + 25} L66 ${y + 25}`, class: "arrow" });
		const busy = p.state === "running";
		d.add("circle", { cx: 94, cy: y + 25, r: 23, style: `fill:var(--${busy ? "run" : "free"})`, "data-proc": p.id,
			"data-state": p.state });
		d.text(94, y + 29, `P${p.id}`, "mid name");
		d.box(132, y + 6, 112, 38, { "stroke-dasharray": busy ? "none" : "3 3" });
		d.text(188, y + 30, busy ? `G${p.task}` : p.state, "mid" + (busy ? " name" : " dim"));
		d.box(258, y + 6, 76, 38, { "stroke-dasharray": p.next ? "none" : "3 3" });
		d.text(296, y + 30, p.next ? `G${p.next}` : "\u2013", "mid");
		for (let k = 0; k < 24; k++)
			d.rect(350 + k * 15, y + 12, 12, 26, k < p.runq ? "ready" : "free");
		d.text(718, y + 24, number(p.runq), "name").setAttribute("data-runq", p.id);
		d.text(718, y + 40, `${number(p.timers)} timers`, "dim");
	});
	d.text(812, 16, `global queue: ${number(r.global_runq)}`, "end").setAttribute("data-global-runq", r.global_runq);
	d.show();
}

function drawTasks(r) {
	const rows = r.tasks.map(t => ({ ...t, n: t.user + t.system })).sort((a, b) => b.n - a.n).slice(0, 8);
	const d = drawing("tasks", 400, Math.max(150, rows.length * 26 + 4));
	const most = Math.max(...rows.map(t => Math.log2(t.n + 1)));
	rows.forEach((t, i) => {
		const color = t.state === "running" ? "run" : t.state === "runnable" ? "ready" : "wait";
		d.text(128, i * 26 + 17, t.state, "end");
		d.rect(136, i * 26 + 5, 180 * Math.log2(t.n + 1) / most, 16, color, { "data-state": t.state, "data-count": t.n });
		d.text(142 + 180 * Math.log2(t.n + 1) / most, i * 26 + 17, number(t.n), "name");
	});
	d.show();
}

// ---- memory ---------------------------------------------------------------------------

function drawMemory(r) {
	const h = r.heap, left = 132, width = 1240, step = Math.min(52, (width - left) / h.spans.length);
	const mcache = 34, row = 46, mcentral = mcache + r.procs.length * row + 34, bar = 74, mheap = mcentral + bar + 56;
	const columns = 64, rows = Math.ceil(h.map.length / columns), cell = (width - left) / columns;
	const d = drawing("memory", width, mheap + rows * 19 + 26);
	d.add("defs", {}).innerHTML = '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" ' +
		'orient="auto"><path d="M0 0 L8 4 L0 8 z" style="fill:var(--dim)"/></marker>';
	d.text(left - 8, 14, "class, bytes", "dim end");

	h.spans.forEach((s, i) => {
		const x = left + i * step + 2, w = step - 4;
		d.text(x + w / 2, 14, className(s), "mid dim");
		d.rect(x, 19, w, 4, s.noscan ? "noscan" : "scan");
		// What each P's mcache holds of this class: the shaded part is allocated.
		for (const p of r.procs) {
			const y = mcache + p.id * row, c = h.caches.find(c => c.proc === p.id && sameClass(c, s));
			d.box(x, y, w, row - 12, { "stroke-dasharray": c ? "none" : "2 4", rx: 3 });
			if (!c)
				continue;
			const used = (c.slots - c.free) / c.slots * (row - 14);
			d.hint(d.rect(x + 1, y + row - 13 - used, w - 2, used, s.noscan ? "noscan" : "scan",
				{ "data-mcache": p.id, "data-slots": c.slots, "data-free": c.free }),
			`P${p.id}'s span of class ${className(s)}: ${c.slots - c.free} of ${c.slots} objects allocated`);
		}
		// The mcentral's spans, in swept and unswept sets; heights are logarithms.
		const n = s.partial + s.full + s.unswept, high = Math.min(bar, 9 * Math.log2(n + 1));
		let y = mcentral + bar;
		for (const [set, color] of [["full", "full"], ["partial", "partial"], ["unswept", "unswept"]]) {
			const part = n ? high * s[set] / n : 0;
			y -= part;
			d.hint(d.rect(x, y, w, part, color, { "data-mcentral": set, "data-spans": s[set] }), `${s[set]} ${set} spans`);
		}
		d.text(x + w / 2, mcentral + bar + 14, n ? number(n) : "\u2013", "mid dim");
	});
	for (const p of r.procs) {
		d.text(left - 10, mcache + p.id * row + 15, "mcache", "name end");
		d.text(left - 10, mcache + p.id * row + 29, `of P${p.id}`, "dim end");
	}
	d.arrow(40, mcentral + 18, 40, mcache + r.procs.length * row - 8);
	d.text(50, mcentral - 8, "spans", "dim");
	d.text(left - 10, mcentral + bar - 22, "mcentral", "name end");
	d.text(left - 10, mcentral + bar - 8, "spans, by class", "dim end");
	d.arrow(40, mheap - 6, 40, mcentral + bar + 2);
	d.text(50, mheap - 22, "pages", "dim");
	d.text(left - 10, mheap + 14, "mheap", "name end");
	d.text(left - 10, mheap + 29, `${bytes(h.total)} of pages,`, "dim end");
	d.text(left - 10, mheap + 43, `${bytes(h.cell)} a cell`, "dim end");

	const colors = ["full", "own", "free", "released", "released"];
	h.map.forEach((c, i) => {
		const x = left + i % columns * cell, y = mheap + Math.floor(i / columns) * 19;
		const all = c.reduce((a, b) => a + b, 0);
		let at = x;
		c.forEach((n, kind) => {
			if (n === 0)
				return;
			d.rect(at, y, (cell - 1.5) * n / all, 16, colors[kind], { rx: 0, "data-cell": i, opacity: kind === 4 ? 0.6 : 1 });
			at += (cell - 1.5) * n / all;
		});
	});
	d.text(left, mheap + rows * 19 + 16, `${bytes(h.in_use)} in spans, ${bytes(h.runtime)} the runtime's own ` +
		`(stacks ${bytes(h.stacks)}), ${bytes(h.free)} free, ${bytes(h.released)} given back to the host`, "dim");
	d.svg.setAttribute("data-in-use", h.in_use);
	d.show();
	byId("memory-key").innerHTML = [["scan", "objects with pointers"], ["noscan", "without"], ["full", "full spans, pages in spans"],
		["partial", "with room"], ["unswept", "not swept yet"], ["own", "stacks and tables"], ["free", "free pages"]]
		.map(([c, s]) => `<i style="background:var(--${c})"></i>${s}`).join("");
}

// The fullest-moving span: the one with most slots in some mcache.
function drawObjects(r) {
	const c = r.heap.caches.filter(c => c.slots >= 32).sort((a, b) => (b.slots - b.free) - (a.slots - a.free))[0];
	const d = drawing("objects", 400, 176);
	if (c) {
		const across = Math.ceil(Math.sqrt(c.slots * 2.4)), size = Math.min(392 / across, 24);
		for (let i = 0; i < c.slots; i++)
			d.rect(4 + i % across * size, 4 + Math.floor(i / across) * size, size - 1.2, size - 1.2,
				i < c.slots - c.free ? c.noscan ? "noscan" : "scan" : "free", { rx: 1 });
		byId("objects-text").textContent = `P${c.proc}'s span of ${c.size}-byte objects ${c.noscan ? "without" : "with"} ` +
			`pointers: ${c.slots - c.free} of ${c.slots} allocated (drawn first), ${c.free} free.`;
	}
	d.svg.setAttribute("data-slots", c ? c.slots : 0);
	d.show();
}

// ---- collector -----------------------------------------------------------------------------

function drawCollector(r) {
	const d = drawing("collector", 820, 230), left = 84, right = 806, low = 168, high = 14;
	const cycles = r.gc.slice(-24), heap = r.heap;
	const top = Math.max(heap.live, heap.trigger, ...cycles.map(c => Math.max(c.heap_before, c.goal))) * 1.08 || 1;
	const y = n => low - (low - high) * n / top, step = (right - left) / (cycles.length + 1);
	for (let i = 0; i <= 3; i++) {
		d.add("path", { d: `M${left} ${y(top * i / 3)} L${right} ${y(top * i / 3)}`, class: "box" });
		d.text(left - 6, y(top * i / 3) + 4, bytes(top * i / 3), "end dim");
	}
	const stop = Math.max(1, ...cycles.map(c => c.stops[0] + c.stops[1]));
	let path = "", before = cycles.length ? cycles[0].live : heap.live;
	cycles.forEach((c, i) => {
		const x = left + i * step;
		path += `${i ? "L" : "M"}${x} ${y(before)} L${x + step * 0.9} ${y(c.heap_before)} L${x + step} ${y(c.live)} `;
		before = c.live;
		d.add("path", { d: `M${x} ${y(c.goal)} h${step}`, style: "stroke:var(--goal);fill:none", "stroke-dasharray": "4 3" });
		const long = 34 * (c.stops[0] + c.stops[1]) / stop;
		d.hint(d.rect(x + step * 0.9 - 5, 216 - long, 10, long, "run", { "data-cycle": c.number }),
			`cycle ${c.number}${c.forced ? " (forced)" : ""}: ${bytes(c.heap_before)} to ${bytes(c.live)} live, goal ` +
			`${bytes(c.goal)}; the world stopped for ${micros(c.stops[0] + c.stops[1])}`);
		if (cycles.length <= 12 || i % 3 === 0)
			d.text(x + step * 0.9, 228, `${c.number}`, "mid dim");
	});
	const x = left + cycles.length * step;
	path += `${path ? "L" : "M"}${x} ${y(before)} L${right} ${y(heap.live)}`;
	d.add("path", { d: path, style: "stroke:var(--scan);fill:none;stroke-width:2" });
	d.add("path", { d: `M${x} ${y(heap.goal)} L${right} ${y(heap.goal)}`, style: "stroke:var(--goal);fill:none",
		"stroke-dasharray": "4 3" });
	d.text(right, y(heap.goal) - 5, `goal ${bytes(heap.goal)}`, "end dim");
	d.text(left - 6, 204, "stops,", "end dim");
	d.text(left - 6, 217, `\u2264 ${micros(stop)}`, "end dim");
	d.svg.setAttribute("data-cycles", r.gc.length);
	d.svg.setAttribute("data-live", heap.live);
	d.show();
}

// ---- tables, and the whole page ---------------------------------------------------------------

function table(id, head, rows) {
	const line = (tag, cells) => {
		const tr = document.createElement("tr");
		for (const c of cells)
			tr.appendChild(document.createElement(tag)).textContent = c;
		return tr;
	};
	byId(id).replaceChildren(line("th", head), ...rows.map(cells => line("td", cells)));
}

function show(r) {
	byId("facts").innerHTML = [["cores", r.cores], ["up", `${(r.now / 1e9).toFixed(0)} s`], ["tasks", number(r.num_task)],
		["heap", bytes(r.heap.live)], ["collections", number(r.num_gc)]].map(([k, v]) => `<div><dt>${k}<dd>${v}</div>`).join("");
	drawProcs(r);
	drawTasks(r);
	drawMemory(r);
	drawObjects(r);
	drawCollector(r);
	const vectors = new Map();
	for (const i of r.irqs) {
		const key = `${i.vector} ${i.name}`;
		vectors.set(key, vectors.get(key) || Array(r.cores).fill(0));
		vectors.get(key)[i.core] = i.count;
	}
	table("interrupts", ["vector", ...r.procs.map(p => `core ${p.id}`)], [...vectors].map(([k, v]) => [k, ...v.map(number)]));
	table("network", ["queue", "frames", "bytes", "dropped"], r.queues.map(q =>
		[`eth${q.nic} ${q.sends ? "tx" : "rx"} ${q.queue}`, number(q.frames), bytes(q.bytes), number(q.dropped)]));
	table("log", [], r.log.slice(-8).map(l => [`${(l.time / 1e9).toFixed(3)} ${l.level} ${l.text}`]));
}

let seen = 0;
async function poll() {
	if (!document.hidden)
		try {
			const r = await (await fetch("api/runtime")).json();
			show(r);
			byId("state").textContent = "live";
			byId("state").className = "live";
			document.body.dataset.seen = ++seen;
			window.shown = r; // for whoever compares the picture with it
		} catch (e) {
			byId("state").textContent = `no answer: ${e.message}`;
			byId("state").className = "";
		}
	setTimeout(poll, 500);
}

for (const b of document.querySelectorAll("button"))
	b.onclick = async () => {
		b.disabled = true;
		await fetch(`load/${b.dataset.load}`, { method: "POST" }).catch(() => 0);
		b.disabled = false;
	};
poll();
