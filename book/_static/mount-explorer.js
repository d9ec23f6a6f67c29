// Mounts explorers on book pages without Jupyter's widget machinery:
//   <div class="genai-explorer" data-module="game.js"></div>
// The module's render() gets a model that remembers what it is told, as a kernel would.
const place = new URL("vendor/explorers/", import.meta.url);

function memory(initial) {
  const values = { ...initial };
  const set = (name, value) => { values[name] = value; };
  return { get: (name) => values[name], set, on: () => {}, save_changes: () => {} };
}

function style(name) {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL(name, place).href });
  document.head.append(link);
}

style("kit.css");
for (const el of document.querySelectorAll(".genai-explorer[data-module]")) {
  style(el.dataset.module.replace(/\.js$/, ".css"));
  const { default: explorer } = await import(new URL(el.dataset.module, place).href);
  explorer.render({ model: memory(JSON.parse(el.dataset.values || "{}")), el });
}
