"use strict";
(() => {
  const number = (text) => (text === "inf" ? Infinity : text === "-inf" ? -Infinity : text === "" ? NaN : Number(text));

  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const x = number(a), y = number(b);
    if (Number.isNaN(x) || Number.isNaN(y)) return a.localeCompare(b, "en", { numeric: true });
    return x < y ? -1 : x > y ? 1 : 0;
  };

  const sort = (button) => {
    const head = button.closest("th"), table = head.closest("table"), body = table.tBodies[0];
    const other = { ascending: "descending", descending: "ascending" };
    const now = head.getAttribute("aria-sort");
    const order = now ? other[now] : button.dataset.first;
    for (const each of head.parentElement.cells) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const value = (row) => row.cells[head.cellIndex].dataset.value;
    const sign = order === "ascending" ? 1 : -1;
    const rows = [...body.rows].sort((a, b) => {
      const x = value(a), y = value(b);
      return compare(x, y) * (x === "" || y === "" ? 1 : sign); // what has no value stays last
    });
    body.append(...rows);
  };

  const open = () => {
    const found = document.getElementById(location.hash.slice(1));
    if (found && found.tagName === "DETAILS") {
      found.open = true;
      found.scrollIntoView({ block: "start" });
    }
  };

  const filter = (text) => {
    const wanted = text.trim().toLowerCase();
    for (const row of document.querySelectorAll("table.leaderboard tbody tr"))
      row.hidden = !row.cells[1].dataset.value.toLowerCase().includes(wanted);
    for (const one of document.querySelectorAll("[data-encoder]"))
      one.hidden = !one.dataset.encoder.toLowerCase().includes(wanted);
  };

  // A table that fits needs no scrolling box, and then its head stays at the top of the window.
  const fit = () => {
    for (const box of document.querySelectorAll(".scroll")) {
      box.classList.remove("fits");
      box.classList.toggle("fits", box.scrollWidth <= box.clientWidth);
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("table.sortable th button");
    if (button) sort(button);
    const columns = event.target.closest("button.columns");
    if (columns) {
      const all = columns.closest("section").querySelector("table.leaderboard").classList.toggle("all");
      columns.setAttribute("aria-pressed", all);
      columns.textContent = all ? "fewer columns" : "all columns";
      fit();
    }
  });
  const input = document.querySelector("input[type=search]");
  if (input) input.addEventListener("input", () => filter(input.value));
  addEventListener("hashchange", open);
  addEventListener("resize", fit);
  document.addEventListener("toggle", fit, true);
  fit();
  open();
})();
