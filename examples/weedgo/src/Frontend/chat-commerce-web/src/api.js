// The backend's address and patience come from the environment's file at build time.
const base = import.meta.env.VITE_API_URL ?? "";
const timeout = Number(import.meta.env.VITE_API_TIMEOUT_MS ?? 8000);

export async function get(path) {
  const answer = await fetch(base + path, { signal: AbortSignal.timeout(timeout) });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

export function price(cents) {
  const currency = import.meta.env.VITE_CURRENCY ?? "CAD";
  return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(cents / 100);
}
