import "./style.css";
import { get } from "./api.js";

function row(store) {
  const line = document.createElement("tr");
  for (const text of [store.name, store.city]) {
    const cell = document.createElement("td");
    cell.textContent = text;
    line.append(cell);
  }
  return line;
}

const health = document.getElementById("health");
try {
  const [{ stores }, state] = await Promise.all([get("/api/v1/stores"), get("/health")]);
  document.getElementById("stores").replaceChildren(...stores.map(row));
  health.textContent = `Backend ${state.status}, commit ${state.commit}`;
} catch (error) {
  health.textContent = `Backend not reached: ${error.message}`;
}
