"use strict";
// A row for each figure that the machine sends, once a second.
const table = document.getElementById("stats");
new EventSource("/api/events").addEventListener("stats", (event) => {
	table.replaceChildren();
	for (const [name, value] of Object.entries(JSON.parse(event.data))) {
		const row = table.insertRow();
		row.insertCell().textContent = name.replace("_", " ");
		row.insertCell().textContent = value.toLocaleString();
	}
});
