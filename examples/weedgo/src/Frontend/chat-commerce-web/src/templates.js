const templates = {
  weedgo: ["WeedGo", "Hi, what are you looking for?", "#2f7d4f", "#f4fbf6"],
  "pot-palace": ["Pot Palace", "Welcome to the palace.", "#7a3cff", "#f6f2ff"],
  "modern-minimal": ["Modern Minimal", "How can we help?", "#222222", "#ffffff"],
  vintage: ["Vintage", "Good day, traveller.", "#8a5a2b", "#fbf3e6"],
  "rasta-vibes": ["Rasta Vibes", "One love. What will it be?", "#c0392b", "#fff9db"],
  "dark-tech": ["Dark Tech", "Ready.", "#00d1b2", "#101418"],
  metal: ["Metal", "State your order.", "#b0b7bf", "#1b1d20"],
  dirty: ["Dirty", "What's up?", "#a0522d", "#efe6dc"],
};

export function template(name) {
  const [title, greeting, accent, paper] = templates[name] ?? templates.weedgo;
  return { title, greeting, colours: { accent, paper } };
}
