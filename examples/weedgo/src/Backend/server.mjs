// The team's API in small: the paths that its checks ask for. The platform builds it from the commit
// and trine asks /health which commit really runs.
import { createServer } from "node:http";

const commit = process.env.TRINE_COMMIT ?? process.env.RENDER_GIT_COMMIT ??
  process.env.RAILWAY_GIT_COMMIT_SHA ?? process.env.KOYEB_GIT_SHA ?? "unknown";
const products = Array.from({ length: 60 }, (_, i) => ({ id: i + 1, name: `Product ${i + 1}`, price_cents: 1000 + 50 * i }));
const stores = [{ id: 1, name: "Queen Street", city: "Toronto" }, { id: 2, name: "Mile End", city: "Montreal" }];

const routes = {
  "/health": () => ({ status: "ok", commit }),
  "/api/v1/products": (query) => {
    const limit = Math.min(Math.max(Number(query.get("limit")) || 20, 1), products.length);
    return { products: products.slice(0, limit), total: products.length };
  },
  "/api/v1/stores": () => ({ stores }),
};

createServer((request, response) => {
  const url = new URL(request.url, "http://backend");
  const route = routes[url.pathname];
  response.writeHead(route ? 200 : 404, { "Content-Type": "application/json", "Access-Control-Allow-Origin": "*" });
  response.end(JSON.stringify(route ? route(url.searchParams) : { error: "not found" }));
}).listen(Number(process.env.PORT ?? 5024));
