import "./style.css";
import { get, price } from "./api.js";
import { template } from "./templates.js";

// VITE_TEMPLATE chooses one of eight looks when the bundle is built.
const look = template(import.meta.env.VITE_TEMPLATE);
document.title = look.title;
for (const [name, value] of Object.entries(look.colours))
  document.documentElement.style.setProperty(`--${name}`, value);

const talk = document.getElementById("talk");

function say(who, text) {
  const line = document.createElement("li");
  line.className = who;
  line.textContent = text;
  talk.append(line);
}

document.getElementById("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  const words = new FormData(event.target).get("text");
  say("user", words);
  event.target.reset();
  try {
    const { products } = await get("/api/v1/products?limit=3");
    say("shop", products.map((p) => `${p.name}, ${price(p.price_cents)}`).join("; "));
  } catch (error) {
    say("shop", `I cannot look that up now (${error.message}).`);
  }
});

say("shop", look.greeting);
