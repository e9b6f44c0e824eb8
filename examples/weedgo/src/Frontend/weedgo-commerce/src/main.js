import "./style.css";
import { get, price } from "./api.js";

document.documentElement.style.setProperty("--accent", import.meta.env.VITE_ACCENT);
const list = document.getElementById("products");

function card(product) {
  const item = document.createElement("article");
  const name = document.createElement("h2");
  const cost = document.createElement("p");
  name.textContent = product.name;
  cost.textContent = price(product.price_cents);
  item.append(name, cost);
  item.addEventListener("click", async () => {
    const { show } = await import("./detail.js");
    show(product);
  });
  return item;
}

try {
  const { products } = await get("/api/v1/products?limit=20");
  list.replaceChildren(...products.map(card));
} catch (error) {
  list.textContent = `The menu is not there: ${error.message}`;
}
