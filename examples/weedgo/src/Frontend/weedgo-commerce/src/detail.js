import { price } from "./api.js";

// Loaded when a product is opened, so that the first page stays small.
export function show(product) {
  const dialog = document.createElement("dialog");
  const title = document.createElement("h2");
  const cost = document.createElement("p");
  const close = document.createElement("button");
  title.textContent = product.name;
  cost.textContent = price(product.price_cents);
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.remove());
  dialog.append(title, cost, close);
  document.body.append(dialog);
  dialog.showModal();
}
